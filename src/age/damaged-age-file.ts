/** An age file that is malformed or was altered. Says nothing about who may open it. */
export class DamagedAgeFile extends Error {
  override readonly name = "DamagedAgeFile";
}
