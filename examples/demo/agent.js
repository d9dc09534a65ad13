// An agent as people write them: it calls a service with its token, and logs more than it should.
const token = process.env.WEATHER_TOKEN;
console.log(`agent: calling the weather service with token ${token}`);
const answer = await fetch(process.env.WEATHER_URL, { headers: { authorization: `Bearer ${token}` } });
console.log(`agent: ${answer.status} ${await answer.text()}`);
console.error("agent: debug dump", JSON.stringify({ headers: { authorization: `Bearer ${token}` } }));
process.exitCode = answer.ok ? 0 : 1;
