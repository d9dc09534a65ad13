/** Asks the weather service, and throws where the answer is none. The token goes into the request and nowhere else. */
export async function forecast(token) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(process.env.WEATHER_URL, { headers, signal: AbortSignal.timeout(60_000) });
  if (!answer.ok) throw new Error(`the weather service answered ${answer.status}`);
  const { sky, degrees } = await answer.json();
  if (typeof sky !== "string" || !Number.isFinite(degrees)) throw new Error("the answer is no forecast");
  return `${sky}, ${degrees} degrees`;
}
