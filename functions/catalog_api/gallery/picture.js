// An image in an element: its colour at once, its blurred shape, then the thumbnail.

import { paint } from './blurhash.js';
import { h } from './dom.js';

/** The address of the thumbnail for a width, the smallest that is sharp there; undefined if there is none. */
function addressFor(image, width) {
  const sizes = Object.values(image.thumbnails).sort((one, other) => one.width - other.width);
  return (sizes.find((size) => size.width >= width * Math.min(devicePixelRatio, 2) * 0.8) ?? sizes.at(-1))?.url;
}

/** Fill an element with an image. `refresh(image)` gives the image fresh addresses. */
export function picture(element, image, width, refresh) {
  if (/^#[0-9a-f]{6}$/i.test(image.dominant_color ?? '')) element.style.backgroundColor = image.dominant_color;
  const address = addressFor(image, width);
  if (!address) return;
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  if (paint(canvas, image.blurhash)) element.append(canvas);
  const shown = h('img', { alt: '', decoding: 'async' });
  shown.addEventListener('load', () => shown.classList.add('loaded'));
  // Presigned addresses end after some minutes: take another, once, unless somebody has asked for it meanwhile.
  shown.addEventListener('error', async () => {
    if (addressFor(image, width) === address) await refresh(image);
    const fresh = addressFor(image, width);
    if (fresh && fresh !== address) shown.src = fresh;
  }, { once: true });
  shown.src = address;
  element.append(shown);
}
