// The SHA-256 of a file, by which the gallery recognises a photo that it already has.

/** Returns 64 hexadecimal digits, or undefined if the file cannot be read or there is no Web Crypto (plain HTTP). */
export async function fingerprintOf(file) {
  try {
    const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  } catch {
    return undefined;
  }
}
