// Files from a drop, a paste or the file dialog: which of them can be photos.

const MEGABYTE = 1e6;
const VIDEO_FILES = /\.(3gp|avi|m4v|mkv|mov|mp4|mpe?g|mts|webm)$/i;
// The RAW formats of the usual camera makers.
const RAW_FILES = /\.(arw|cr2|cr3|dng|nef|nrw|orf|pef|raf|raw|rw2|srw)$/i;
// Files that operating systems put into folders. Users do not intend to upload them.
const SYSTEM_FILES = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

/** Returns the media type of a file if the gallery accepts it. `types` maps extensions to media types. */
export function typeOf(file, types) {
  // The extension decides first: a browser's type is empty for extensions that it does not know (File API).
  const extension = file.name.slice(file.name.lastIndexOf('.')).toLowerCase();
  return types[extension] ?? (Object.values(types).includes(file.type) ? file.type : undefined);
}

/** Returns the name of the text with the reason why a file is refused, or null if it is accepted. */
export function problemOf(file, config) {
  if (VIDEO_FILES.test(file.name) || file.type.startsWith('video/')) return 'isVideo';
  if (RAW_FILES.test(file.name)) return 'isRaw';
  if (!typeOf(file, config.types)) return 'wrongType';
  if (!file.size) return 'emptyFile';
  return file.size > config.max_upload_bytes ? 'tooLarge' : null;
}

/** Returns the size limit in bytes for showing it, rounded to whole megabytes if it is above one megabyte. */
export const shownLimit = ({ max_upload_bytes: limit }) =>
  limit > MEGABYTE ? Math.floor(limit / MEGABYTE) * MEGABYTE : limit;

/**
 * Returns a promise of the files of a drop, with the files in its folders and their folders.
 *
 * Takes the entries before it waits: the browser empties the list after the event.
 */
export async function filesOfDrop(transfer) {
  const files = [...transfer.files];
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return files;
  return (await Promise.all(entries.map(filesBelow))).flat();
}

async function filesBelow(entry) {
  if (SYSTEM_FILES.test(entry.name)) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const files = [];
  for (;;) {
    // Chromium returns at most 100 entries per call, and an empty list at the end.
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return files;
    for (const child of entries) files.push(...(await filesBelow(child)));
  }
}

/** Returns the pictures of a paste. Browsers name each picture `image.png`, so the time becomes its name. */
export function filesOfPaste(clipboard, now = new Date()) {
  const local = new Date(now - now.getTimezoneOffset() * 60_000).toISOString();
  const time = local.slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  const pictures = [...(clipboard?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
  return pictures.map((file, index) => {
    const suffix = index ? ` (${index + 1})` : '';
    const isUnnamed = /^image\.\w+$/.test(file.name);
    const name = isUnnamed ? `${time}${suffix}.${file.name.split('.').pop()}` : file.name;
    return new File([file], name, { type: file.type, lastModified: file.lastModified });
  });
}
