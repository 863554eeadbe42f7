// Writes a zip file in the browser. The photos are stored, not deflated, because their formats are compressed already.
// The field numbers are those of PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
// Bit 11 of the general purpose flag means a name in UTF-8. The version supports folders and stored files.
const UTF8_NAMES = 0x0800;
const VERSION = 20;
/** The maximum total size of the photos. Sizes and offsets have 32 bits, and the headers need some of the bytes. */
export const MAX_ZIP_BYTES = 4e9;

function crcOf(crc, bytes) {
  let value = crc;
  for (const byte of bytes) value = (value >>> 8) ^ CRC_TABLE[(value ^ byte) & 255];
  return value;
}

/** Returns little-endian bytes for pairs of a size (2 or 4 bytes) and a value. */
function fields(...pairs) {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
  let offset = 0;
  for (const [size, value] of pairs) {
    if (size === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
    offset += size;
  }
  return new Uint8Array(view.buffer);
}

/** Returns the MS-DOS time and date of a local time such as `2026-06-15T10:30:00`. MS-DOS begins in 1980. */
function dosTime(local) {
  const [year, month, day, hour, minute, second] = local.split(/\D/).map(Number);
  if (!(year >= 1980 && year <= 2107)) return [0, 0x21];
  return [(hour << 11) | (minute << 5) | (second >> 1), ((year - 1980) << 9) | (month << 5) | day];
}

/** Returns a unique name without a path for a file. */
function uniqueName(name, taken) {
  const plain = name.replace(/[/\\]/g, '_');
  const dot = plain.lastIndexOf('.') > 0 ? plain.lastIndexOf('.') : plain.length;
  let unique = plain;
  for (let number = 2; taken.has(unique.toLowerCase()); number++) {
    unique = `${plain.slice(0, dot)} (${number})${plain.slice(dot)}`;
  }
  taken.add(unique.toLowerCase());
  return unique;
}

export class Zip {
  constructor() {
    Object.assign(this, { parts: [], central: [], names: new Set(), offset: 0 });
  }

  /** Adds a file from the stream of its bytes. `local` is its time. The browser may keep finished files on disk. */
  async add(name, local, stream) {
    const [chunks, reader] = [[], stream.getReader()];
    let [crc, size] = [0xffffffff, 0];
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      crc = crcOf(crc, chunk.value);
      size += chunk.value.length;
      chunks.push(chunk.value);
    }
    const encoded = new TextEncoder().encode(uniqueName(name, this.names));
    const [time, date] = dosTime(local);
    const checksum = (crc ^ 0xffffffff) >>> 0;
    const common = [[2, VERSION], [2, UTF8_NAMES], [2, 0], [2, time], [2, date], [4, checksum], [4, size], [4, size],
      [2, encoded.length], [2, 0]];
    const header = fields([4, 0x04034b50], ...common);
    this.central.push(
      fields([4, 0x02014b50], [2, VERSION], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, this.offset]), encoded);
    this.parts.push(header, encoded, new Blob(chunks));
    this.offset += header.length + encoded.length + size;
  }

  /** Returns the zip as a Blob. */
  end() {
    const size = this.central.reduce((sum, part) => sum + part.length, 0);
    const count = this.central.length / 2;
    const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, this.offset], [2, 0]);
    return new Blob([...this.parts, ...this.central, end], { type: 'application/zip' });
  }
}
