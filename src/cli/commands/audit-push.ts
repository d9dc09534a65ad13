import type { Unpushable } from "../../admin/sharing/lines-here.ts";
import { type Pushed, pushAuditLog } from "../../admin/sharing/push.ts";
import type { CommandContext } from "../context.ts";
import { DONE, REFUSED } from "../exit-status.ts";
import { sharingOptions } from "../sharing.ts";
import { counted } from "../wording.ts";

const WHY: Readonly<Record<Unpushable, string>> = {
  torn: "torn",
  "unknown-key": "signed by nobody this vault knows of",
  "bad-signature": "with a signature that does not hold",
  "wrong-signer": "signed by a key that may not say this",
  "host-name": "of a host whose name is too long",
};

/** Exit 1 where a log was refused, or holds lines that do not verify. A torn line is what a kill leaves, and no more. */
export async function run(context: CommandContext): Promise<number> {
  const { console, machine } = context;
  const pushed = await pushAuditLog(machine, sharingOptions(context, "audit push"), (text) =>
    console.say(text),
  );
  const { refused, kept } = pushed;
  const isWrong = refused.length > 0 || [...kept.keys()].some((why) => why !== "torn");
  if (isWrong || !context.has("quiet")) tell(context, pushed);
  return isWrong ? REFUSED : DONE;
}

function tell({ console }: CommandContext, { remote, logs, refused, kept }: Pushed): void {
  for (const { who, lines, again } of logs) {
    console.say(`${remote} has ${counted(lines, "line")} more of ${who}`);
    if (again > 0) console.detail(`${again} of them it had before: someone cut its log off there`);
  }
  if (logs.length === 0 && refused.length === 0) console.say(`nothing new for ${remote}`);
  if (kept.size > 0) {
    const parts = [...kept].map(([why, count]) => `${counted(count, "line")} ${WHY[why]}`);
    console.say(`not pushed: ${parts.join(", ")}`);
    console.detail("see them: vault-run audit");
  }
  for (const error of refused) console.error(error);
}
