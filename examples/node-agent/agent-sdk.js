// An agent that opens the vault itself: the token is in no environment, and in a string only for the request.
import { openVault } from "vault-run";
import { forecast } from "./forecast.js";

try {
  const vault = await openVault({ agent: "forecaster" });
  const token = await vault.get("weather/WEATHER_TOKEN");
  console.log(`agent: using ${token}`);
  console.log(`agent: ${await forecast(token.reveal())}`);
  token.dispose();
  vault.close();
} catch (error) {
  console.error(`agent: ${error.message}`);
  if (error.hint !== undefined) console.error(`agent: ${error.hint}`);
  process.exitCode = 1;
}
