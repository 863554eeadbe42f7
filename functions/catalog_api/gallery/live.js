// Polls for images that others have added and deleted: less often while nothing changes or the page is hidden.

import { callIfChanged } from './api.js';

const FIRST_WAIT_MS = 10_000;
const LAST_WAIT_MS = 60_000;
const HIDDEN_WAIT_MS = 300_000;
const PAGE_SIZE = 20;
// After a longer pause, the page requests this many pages of changes. Earlier changes appear after a reload.
const MAX_PAGES = 10;

export class Live {
  /**
   * `statusShown()` returns the status of the images in the view. `addImages(images)` takes images, and
   * `removeImages(deleted)` takes deleted ones `{image_id, deleted_at}`. Both return how many of them are news.
   * `onError(error)` returns true to stop.
   */
  constructor(actions) {
    Object.assign(this, actions, { etags: {}, lastDeletion: null });
    Object.assign(this, { timer: 0, wait: FIRST_WAIT_MS, isRunning: false });
    document.addEventListener('visibilitychange', () => this.isRunning && !document.hidden && this.ask());
  }

  start() {
    [this.isRunning, this.wait] = [true, FIRST_WAIT_MS];
    this.plan();
  }

  stop() {
    this.isRunning = false;
    clearTimeout(this.timer);
  }

  plan() {
    clearTimeout(this.timer);
    if (this.isRunning) this.timer = setTimeout(() => this.ask(), document.hidden ? HIDDEN_WAIT_MS : this.wait);
  }

  async ask() {
    clearTimeout(this.timer);
    const status = this.statusShown();
    let count = 0;
    try {
      if (status !== 'DELETED') count = await this.newImages(status);
      // The user may have signed out since then.
      if (status !== 'DELETED' && this.isRunning) count += await this.newDeletions();
    } catch (error) {
      if (this.onError(error)) return this.stop();
    }
    this.wait = count ? FIRST_WAIT_MS : Math.min(LAST_WAIT_MS, this.wait * 1.5);
    return this.plan();
  }

  /** Adds the newest images of a status. Continues while whole pages are new. Returns how many are new. */
  newImages(status) {
    const addPage = (images) => {
      const count = this.addImages(images);
      return [count, count === PAGE_SIZE];
    };
    return this.readPages('images', { status, order: 'added' }, addPage);
  }

  /** Removes images that others have deleted since the last time. Returns how many of them were in the view. */
  async newDeletions() {
    const since = this.lastDeletion;
    const removePage = (deleted) => {
      if (deleted.length && this.lastDeletion === since) this.lastDeletion = deleted[0].deleted_at;
      const isNew = ({ deleted_at: deletedAt }) => deletedAt >= (since ?? '');
      // At the first poll, the list has just been loaded.
      return [this.removeImages(deleted), since !== null && deleted.length > 0 && deleted.every(isNew)];
    };
    const count = await this.readPages('images/deleted', {}, removePage);
    this.lastDeletion ??= '';
    return count;
  }

  /**
   * Reads pages of a list if it has changed. `take(images)` returns how many images are news, and whether to continue.
   * Returns the sum.
   */
  async readPages(path, query, take) {
    let [sum, cursor] = [0, ''];
    const name = `${path} ${query.status}`;
    for (let page = 0; page < MAX_PAGES; page++) {
      const parameters = new URLSearchParams({ ...query, limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) });
      const answer = await callIfChanged(`${path}?${parameters}`, cursor ? undefined : this.etags[name]);
      if (!answer) return sum;
      if (!cursor) this.etags[name] = answer.etag;
      const [count, goesOn] = take(answer.body.images);
      sum += count;
      cursor = answer.body.next_cursor;
      if (!goesOn || !cursor) return sum;
    }
    return sum;
  }
}
