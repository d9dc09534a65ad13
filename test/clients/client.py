"""Calls tools with the official client for Python: client.py CALLS COMMAND [ARG...], CALLS as JSON."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, Implementation, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> None:
    calls, command, args = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3:]
    server = StdioServerParameters(command=command, args=args, env=dict(os.environ))
    who = Implementation(name="python-test", version="9")
    async with stdio_client(server) as (read, write):
        async with ClientSession(read, write, client_info=who) as session:
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            answers = []
            for name, arguments in calls:
                answer = await session.call_tool(name, arguments)
                text = "\n".join(part.text for part in answer.content)
                answers.append({"isError": answer.is_error, "text": text, "structured": answer.structured_content})
            print(json.dumps({"tools": tools, "answers": answers}))


asyncio.run(main())
