// An agent that is launched: its token is in its environment.
import { forecast } from "./forecast.js";

const token = process.env.WEATHER_TOKEN;
try {
  if (token === undefined)
    throw new Error("no WEATHER_TOKEN: start it with vault-run --agent forecaster -- node agent.js");
  console.log(`agent: ${await forecast(token)}`);
} catch (error) {
  console.error(`agent: ${error.message}`);
  process.exitCode = 1;
}
