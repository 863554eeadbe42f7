// Shows an image in an element: first its dominant colour, then its BlurHash, then the thumbnail.

import { paint } from './blurhash.js';
import { h } from './dom.js';
import { forgetLink, knownLink } from './links.js';

/** Returns the URL of the smallest thumbnail that is sharp at a width, or undefined if there is none. */
function urlFor(image, width) {
  const sizes = Object.values(image.thumbnails).sort((size, other) => size.width - other.width);
  const neededPixels = width * Math.min(devicePixelRatio, 2) * 0.8;
  return (sizes.find((size) => size.width >= neededPixels) ?? sizes.at(-1))?.url;
}

/** Fills an element with an image's dominant colour and its BlurHash. */
export function showPlaceholder(element, image) {
  if (/^#[0-9a-f]{6}$/i.test(image.dominant_color ?? '')) element.style.backgroundColor = image.dominant_color;
  const canvas = h('canvas', { 'aria-hidden': 'true' });
  if (paint(canvas, image.blurhash)) element.append(canvas);
}

/** Fills an element with an image. `refresh(image)` renews the image's presigned URLs. */
export function showImage(element, image, width, refresh) {
  const listedUrl = urlFor(image, width);
  showPlaceholder(element, image);
  if (!listedUrl) return;
  const url = knownLink(listedUrl);
  const thumbnail = h('img', { alt: '', decoding: 'async' });
  thumbnail.addEventListener('load', () => thumbnail.classList.add('loaded'));
  // Presigned URLs expire. Renew an expired URL once, unless another thumbnail of the page has already renewed it.
  thumbnail.addEventListener('error', async () => {
    forgetLink(url);
    if (urlFor(image, width) === url) await refresh(image);
    const renewedUrl = urlFor(image, width);
    if (renewedUrl && renewedUrl !== url) thumbnail.src = renewedUrl;
  }, { once: true });
  thumbnail.src = url;
  element.append(thumbnail);
}
