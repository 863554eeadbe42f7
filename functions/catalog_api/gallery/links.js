// Remembers the links with which thumbnails were shown, because the browser caches each picture under its link. Another
// execution environment of the API signs a different link to the same thumbnail, with its own credentials.

import { credentialStorage } from './api.js';

const STORED = 'eventloom.links';
// A link has up to 2.5 kB, and browsers store 5 MB.
const MOST = 500;
const MARGIN_MS = 60_000;

const links = new Map(JSON.parse(credentialStorage().getItem(STORED) ?? '[]'));
addEventListener('pagehide', () => {
  if (links.size) credentialStorage().setItem(STORED, JSON.stringify([...links]));
});

const withoutQuery = (url) => url.split('?', 1)[0];

/** Returns when a presigned link expires, in milliseconds since 1970, or NaN if it is not presigned. */
function expiry(url) {
  const query = new URLSearchParams(url.split('?')[1]);
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/
    .exec(query.get('X-Amz-Date')) ?? [];
  return Date.UTC(year, month - 1, day, hour, minute, second) + 1_000 * query.get('X-Amz-Expires');
}

/** Returns the link with which the thumbnail was shown before, or this one if that has expired. */
export function knownLink(url) {
  const name = withoutQuery(url);
  const known = links.get(name);
  if (known && expiry(known) - MARGIN_MS > Date.now()) return known;
  links.delete(name);
  if (expiry(url) > Date.now()) links.set(name, url);
  if (links.size > MOST) links.delete(links.keys().next().value);
  return url;
}

/** Forgets a link that does not work. */
export const forgetLink = (url) => links.delete(withoutQuery(url));

/** Forgets all links. */
export function forgetLinks() {
  links.clear();
  [localStorage, sessionStorage].forEach((place) => place.removeItem(STORED));
}
