// The images of one status, page after page as the API lists them.

import { call } from './api.js';

const FIRST = 50;
const PAGE = 100;
// Addresses that are younger have not expired.
const FRESH_MS = 60_000;

export class Listing {
  constructor(status) {
    Object.assign(this, { status, images: [], cursor: '', loading: false, failed: false });
    // The page that an image came with, by its id; null for one that was uploaded here
    this.pages = new Map();
  }

  get ended() {
    return this.cursor === null;
  }

  /** List the next page. Throws Refused. */
  async next() {
    const page = { cursor: this.cursor, limit: this.cursor ? PAGE : FIRST };
    const answer = await this.list(page);
    this.cursor = answer.next_cursor;
    const fresh = answer.images.filter((image) => !this.pages.has(image.image_id));
    fresh.forEach((image) => this.pages.set(image.image_id, page));
    this.images.push(...fresh);
  }

  list(page) {
    page.since = Date.now();
    const query = new URLSearchParams({ status: this.status, limit: page.limit, ...(page.cursor ? { cursor: page.cursor } : {}) });
    return call('GET', `images?${query}`);
  }

  /** Put an image where its time belongs. */
  insert(image) {
    this.pages.set(image.image_id, null);
    const at = this.images.findIndex((other) => other.uploaded_at <= image.uploaded_at);
    this.images.splice(at < 0 ? this.images.length : at, 0, image);
  }

  has(image) {
    return this.pages.has(image.image_id);
  }

  /** Give an image fresh addresses, by one request for all of its page where that can help. Throws Refused. */
  async refresh(image) {
    const [page, before] = [this.pages.get(image.image_id), image.thumbnails];
    if (page && Date.now() - page.since > FRESH_MS) page.again = this.renew(page);
    await page?.again;
    if (image.thumbnails === before) image.thumbnails = (await call('GET', `images/${image.image_id}`)).thumbnails;
  }

  async renew(page) {
    const { images } = await this.list(page);
    const fresh = new Map(images.map(({ image_id: id, thumbnails }) => [id, thumbnails]));
    this.images.forEach((image) => (image.thumbnails = fresh.get(image.image_id) ?? image.thumbnails));
  }
}
