// The images of one view. The API lists them in pages.

import { call } from './api.js';

// The first page is smaller, so that the first photos appear sooner.
const FIRST_PAGE_SIZE = 50;
const PAGE_SIZE = 100;
// Presigned URLs of a page that was listed this recently cannot have expired.
const FRESH_MS = 60_000;
const STATUS = { '': 'READY', rejected: 'REJECTED', deleted: 'DELETED' };
const SORT_FIELD = { taken: 'taken_at', added: 'uploaded_at' };

export class Listing {
  /** `view` is as in the address. `query` is `{order, name, camera, format, reason, until}`, each of them optional. */
  constructor(view, query = {}) {
    const status = STATUS[view];
    Object.assign(this, { view, status, query, images: [], cursor: '', loading: false, failed: false });
    this.wantedOrder = status === 'READY' ? query.order ?? 'taken' : 'added';
    this.order = this.wantedOrder;
    // Maps an image id to the page that listed it, or to null for an image that was added later.
    this.pages = new Map();
  }

  get ended() {
    return this.cursor === null;
  }

  get isFiltered() {
    return ['name', 'camera', 'format', 'reason'].some((filter) => this.query[filter]);
  }

  /** Loads the next page. Throws ApiError. */
  async loadNextPage() {
    const page = { cursor: this.cursor, limit: this.cursor ? PAGE_SIZE : FIRST_PAGE_SIZE };
    const { images, next_cursor: nextCursor, order } = await this.requestPage(page);
    // An environment that is being upgraded still lists images by upload time.
    this.order = order ?? this.order;
    this.cursor = nextCursor;
    const newImages = images.filter((image) => !this.pages.has(image.image_id));
    newImages.forEach((image) => this.pages.set(image.image_id, page));
    this.images.push(...newImages);
  }

  requestPage(page) {
    page.requestedAt = Date.now();
    const isDeleted = this.status === 'DELETED';
    const filters = isDeleted ? {} : { ...this.query, status: this.status, order: this.wantedOrder };
    const wanted = Object.entries({ ...filters, limit: page.limit, cursor: page.cursor }).filter(([, value]) => value);
    return call('GET', `images${isDeleted ? '/deleted' : ''}?${new URLSearchParams(wanted)}`);
  }

  /** Inserts an image at its place. Returns false if a page that is not loaded yet holds the place. */
  insert(image) {
    const field = SORT_FIELD[this.order];
    const index = this.images.findIndex((other) => other[field] <= image[field]);
    if (this.isFiltered || (index < 0 && !this.ended)) return false;
    if (this.query.until && image[field].slice(0, 7) > this.query.until) return false;
    this.pages.set(image.image_id, null);
    this.images.splice(index < 0 ? this.images.length : index, 0, image);
    return true;
  }

  /** Removes images. */
  remove(images) {
    const removed = new Set(images.map(({ image_id: id }) => id));
    removed.forEach((id) => this.pages.delete(id));
    // Change the array in place, because the grid uses the same array.
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
