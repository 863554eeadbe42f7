// Shows the original in the large view where the largest thumbnail is not sharp, if the browser can show its format.

import { h } from './dom.js';

// HEIC and TIFF are not in this set, because most browsers cannot show them.
const SHOWN_FORMATS = new Set(['JPEG', 'PNG', 'GIF', 'WEBP', 'AVIF', 'BMP']);
// Without zoom, loading a larger original takes too long.
const MAX_UNZOOMED_BYTES = 32e6;
// A thumbnail may be enlarged by this factor.
const SHARP_ENOUGH = 1.1;

const widestThumbnail = (image) => Math.max(0, ...Object.values(image.thumbnails).map(({ width }) => width));

/** Returns whether a photo at a width in CSS pixels needs more pixels than its thumbnails have. */
function isBlurred(image, shownWidth) {
  const available = widestThumbnail(image);
  return image.width > available && shownWidth * devicePixelRatio > available * SHARP_ENOUGH;
}

/** Adds the original of an image `{original_url, format, bytes, width}` to its frame if it is sharper there. */
export function showOriginal(frame, image, scale) {
  const isAllowed = scale > 1 || image.bytes <= MAX_UNZOOMED_BYTES;
  const isPossible = image.original_url && SHOWN_FORMATS.has(image.format?.toUpperCase());
  if (!isPossible || !isAllowed || frame.querySelector('.original')) return;
  if (!isBlurred(image, frame.clientWidth * scale)) return;
  const original = h('img', { class: 'original', alt: '', decoding: 'async', draggable: false });
  original.addEventListener('load', () => original.classList.add('loaded'));
  // The link has expired, or the original was deleted in the meantime. The thumbnail stays.
  original.addEventListener('error', () => original.remove());
  original.src = image.original_url;
  frame.append(original);
}
