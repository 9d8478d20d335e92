import { createHash } from "node:crypto";

/** Short content hash of a list of texts, as 24 hexadecimal digits; the borders between the texts count. */
export const hash = (parts: readonly string[]): string => {
  const digest = createHash("sha256");
  for (const part of parts) digest.update(`${Buffer.byteLength(part)}:`).update(part);
  return digest.digest("hex").slice(0, 24);
};
