// The images of one view. The API lists them in pages.

import { call } from './api.js';

// The first page is smaller, so that the first photos appear sooner.
const FIRST_PAGE_SIZE = 50;
const PAGE_SIZE = 100;
// Presigned URLs of a page that was listed this recently cannot have expired.
const FRESH_MS = 60_000;
const STATUS = { '': 'READY', rejected: 'REJECTED' };

export class Listing {
  /** `view` is as in the address. */
  constructor(view) {
    const status = STATUS[view];
    Object.assign(this, { view, status, images: [], cursor: '', loading: false, failed: false });
    // Maps an image id to the page that listed it, or to null for an image that was added later.
    this.pages = new Map();
  }

  get ended() {
    return this.cursor === null;
  }

  /** Loads the next page. Throws ApiError. */
  async loadNextPage() {
    const page = { cursor: this.cursor, limit: this.cursor ? PAGE_SIZE : FIRST_PAGE_SIZE };
    const { images, next_cursor: nextCursor } = await this.requestPage(page);
    this.cursor = nextCursor;
    const newImages = images.filter((image) => !this.pages.has(image.image_id));
    newImages.forEach((image) => this.pages.set(image.image_id, page));
    this.images.push(...newImages);
  }

  requestPage(page) {
    page.requestedAt = Date.now();
    const cursor = page.cursor ? { cursor: page.cursor } : {};
    const query = new URLSearchParams({ status: this.status, limit: page.limit, ...cursor });
    return call('GET', `images?${query}`);
  }

  /** Inserts an image at its upload time. */
  insert(image) {
    const index = this.images.findIndex((other) => other.uploaded_at <= image.uploaded_at);
    this.pages.set(image.image_id, null);
    this.images.splice(index < 0 ? this.images.length : index, 0, image);
  }

  /** Removes images. */
  remove(images) {
    const removed = new Set(images.map(({ image_id: id }) => id));
    removed.forEach((id) => this.pages.delete(id));
    // The grid holds the same array.
    this.images.splice(0, this.images.length, ...this.images.filter(({ image_id: id }) => !removed.has(id)));
  }

  has(image) {
    return this.pages.has(image.image_id);
  }

  indexOf(image) {
    return this.images.findIndex(({ image_id: id }) => id === image?.image_id);
  }

  /** Renews an image's presigned URLs, with one request for its whole page where possible. Throws ApiError. */
  async refresh(image) {
    const [page, expired] = [this.pages.get(image.image_id), image.thumbnails];
    if (page && Date.now() - page.requestedAt > FRESH_MS) page.renewal = this.renew(page);
    await page?.renewal;
    if (image.thumbnails === expired) image.thumbnails = (await call('GET', `images/${image.image_id}`)).thumbnails;
  }

  async renew(page) {
    const { images } = await this.requestPage(page);
    const thumbnailsById = new Map(images.map(({ image_id: id, thumbnails }) => [id, thumbnails]));
    this.images.forEach((image) => (image.thumbnails = thumbnailsById.get(image.image_id) ?? image.thumbnails));
  }
}
