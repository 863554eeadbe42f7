// The tray. It shows each file from the upload to S3 until the image is READY or REJECTED.

import { call, uploadFile } from './api.js';
import { $, announce, h, icon, ICONS, pause } from './dom.js';
import { formatBytes, formatCount, rejectionText, t } from './texts.js';

const MAX_CONCURRENT = 4;
const SLOW_AFTER_MS = 180_000;
// After this time an image may no longer be among the newest ones, so it is requested by its id.
const LOOK_UP_AFTER_MS = 15_000;
const READY_SHOWN_MS = 900;
const MAX_FILENAME_LENGTH = 255;

// States of an entry: waiting, sending, sent, and the ones below.
const FINAL_STATES = new Set(['ready', 'rejected', 'refused', 'failed', 'slow']);

export class Uploads {
  /**
   * `onResult(image)` is called for each image that is READY or REJECTED. `handleRefusal(error)` shows the sign-in and
   * returns true if the error means that the caller must sign in again.
   */
  constructor(config, { onResult, handleRefusal }) {
    Object.assign(this, { config, onResult, handleRefusal });
    this.entries = [];
    this.isPaused = false;
    this.sendingCount = 0;
    this.isPolling = false;
    $('tray-clear').addEventListener('click', () => this.dismissFinished());
  }

  /** Queues files for upload. Refuses files that cannot be photos. */
  add(files) {
    for (const file of files) {
      const entry = { file, state: 'waiting', sentAt: 0, lookedUpAt: 0, type: this.typeOf(file) };
      entry.problem = this.problemOf(entry);
      if (entry.problem) entry.state = 'refused';
      this.entries.push(entry);
      this.draw(entry);
    }
    this.sendNext();
    this.drawSummary();
  }

  // The extension decides first: a browser's type is empty for extensions that it does not know (File API).
  typeOf(file) {
    const extension = file.name.slice(file.name.lastIndexOf('.')).toLowerCase();
    const acceptedTypes = Object.values(this.config.types);
    return this.config.types[extension] ?? (acceptedTypes.includes(file.type) ? file.type : undefined);
  }

  /** Returns the name of the text that says why a file is refused, or null. */
  problemOf({ file, type }) {
    if (!type) return 'wrongType';
    if (!file.size) return 'emptyFile';
    return file.size > this.config.max_upload_bytes ? 'tooLarge' : null;
  }

  sendNext() {
    while (!this.isPaused && this.sendingCount < MAX_CONCURRENT) {
      const entry = this.entries.find(({ state }) => state === 'waiting');
      if (!entry) return;
      this.sendingCount++;
      this.send(entry).finally(() => {
        this.sendingCount--;
        this.sendNext();
      });
    }
  }

  /** Pauses all uploads if an error means that the caller must sign in again. Returns whether it does. */
  pauseIfRefused(error) {
    const isRefusal = this.handleRefusal(error);
    this.isPaused ||= isRefusal;
    return isRefusal;
  }

  /** Continues after the caller has signed in. */
  resume() {
    this.isPaused = false;
    this.sendNext();
    this.poll();
  }

  async send(entry) {
    entry.bar.value = 0;
    this.setState(entry, 'sending');
    try {
      // A longer name is cut at its start, because the extension decides the type.
      const filename = entry.file.name.slice(-MAX_FILENAME_LENGTH);
      const upload = await call('POST', 'uploads', { filename, content_type: entry.type, bytes: entry.file.size });
      await uploadFile(upload, entry.file, (share) => (entry.bar.value = share));
      Object.assign(entry, { id: upload.image_id, sentAt: Date.now() });
      this.setState(entry, 'sent');
      this.poll();
    } catch (error) {
      this.setState(entry, this.pauseIfRefused(error) ? 'waiting' : 'failed');
    }
  }

  setState(entry, state) {
    entry.state = state;
    this.draw(entry);
    this.drawSummary();
  }

  /** Polls until every sent file has a result or is dismissed. Polls less often while no results come. */
  async poll() {
    if (this.isPolling) return;
    this.isPolling = true;
    let wait = 400;
    for (;;) {
      await pause(wait);
      const pending = this.pendingEntries;
      if (this.isPaused || !pending.length) break;
      const results = await this.findResults(pending);
      results.forEach(([entry, image]) => this.finish(entry, image));
      const isSlow = ({ state, sentAt }) => state === 'sent' && Date.now() - sentAt > SLOW_AFTER_MS;
      pending.filter(isSlow).forEach((entry) => this.setState(entry, 'slow'));
      wait = results.length ? 300 : Math.min(8000, wait * 1.5);
    }
    this.isPolling = false;
  }

  /** The files that are sent and have no result. */
  get pendingEntries() {
    return this.entries.filter((entry) => ['sent', 'slow'].includes(entry.state) && !entry.isDismissed);
  }

  /** Returns an operation's answer, or null if it fails. */
  async get(path) {
    try {
      return await call('GET', path);
    } catch (error) {
      this.pauseIfRefused(error);
      return null;
    }
  }

  /**
   * Returns pairs of entry and image for the pending files that have a result.
   *
   * One request per status returns the newest images. Images of others may push a pending one out of that list. Then
   * the pending file that was looked up least recently is requested by its id.
   */
  async findResults(pending) {
    const entriesById = new Map(pending.map((entry) => [entry.id, entry]));
    const results = [];
    let hasMorePages = false;
    for (const status of ['READY', 'REJECTED']) {
      const query = new URLSearchParams({ status, limit: Math.min(100, 2 * pending.length + 10) });
      const page = await this.get(`images?${query}`);
      if (!page) return results;
      hasMorePages ||= Boolean(page.next_cursor);
      const images = page.images.filter((image) => entriesById.has(image.image_id));
      results.push(...images.map((image) => [entriesById.get(image.image_id), image]));
      if (results.length === pending.length) return results;
    }
    const finished = new Set(results.map(([entry]) => entry));
    const isLate = (entry) => Date.now() - entry.sentAt > LOOK_UP_AFTER_MS && !finished.has(entry);
    const late = pending.filter(isLate);
    if (!hasMorePages || !late.length) return results;
    const entry = late.reduce((oldest, other) => (other.lookedUpAt < oldest.lookedUpAt ? other : oldest));
    entry.lookedUpAt = Date.now();
    const image = await this.get(`images/${entry.id}`);
    return image ? [...results, [entry, image]] : results;
  }

  finish(entry, image) {
    const isReady = image.status === 'READY';
    entry.image = image;
    this.setState(entry, isReady ? 'ready' : 'rejected');
    this.onResult(image);
    if (isReady) setTimeout(() => this.dismiss(entry), READY_SHOWN_MS);
  }

  dismiss(entry) {
    const hadFocus = entry.element.contains(document.activeElement);
    if (entry.previewUrl) URL.revokeObjectURL(entry.previewUrl);
    entry.element.remove();
    entry.isDismissed = true;
    if (this.entries.every(({ isDismissed }) => isDismissed)) this.entries = [];
    if (hadFocus) ($('tray').hidden ? $('photos') : $('tray-list')).focus();
    this.drawSummary();
  }

  dismissFinished() {
    const isFinished = (entry) => FINAL_STATES.has(entry.state) && !entry.isDismissed;
    this.entries.filter(isFinished).forEach((entry) => this.dismiss(entry));
  }

  textOf(entry) {
    if (entry.state === 'refused') return t(entry.problem, { limit: formatBytes(this.config.max_upload_bytes) });
    if (entry.state === 'rejected') return rejectionText(entry.image);
    return entry.state === 'sending' ? formatBytes(entry.file.size) : t(entry.state);
  }

  draw(entry) {
    if (!entry.element) this.createElement(entry);
    entry.element.dataset.state = entry.state;
    entry.text.textContent = this.textOf(entry);
    entry.bar.hidden = !['waiting', 'sending', 'sent'].includes(entry.state);
    // Without a value the bar is indeterminate.
    if (entry.state === 'sent') entry.bar.removeAttribute('value');
    const buttons = [];
    if (entry.state === 'failed') buttons.push(this.retryButton(entry));
    if (FINAL_STATES.has(entry.state) && entry.state !== 'ready') buttons.push(this.dismissButton(entry));
    entry.buttons.replaceChildren(...buttons);
  }

  retryButton(entry) {
    return h('button', { type: 'button', onclick: () => this.retry(entry) }, t('retry'));
  }

  dismissButton(entry) {
    const label = t('dismiss', { name: entry.file.name });
    const dismiss = () => this.dismiss(entry);
    return h('button', { type: 'button', class: 'icon', 'aria-label': label, onclick: dismiss }, icon(ICONS.close));
  }

  createElement(entry) {
    const preview = h('div', { class: 'preview' }, icon(ICONS.picture));
    if (entry.type) {
      entry.previewUrl = URL.createObjectURL(entry.file);
      // The icon stays if the browser cannot show the format (HEIC).
      const image = h('img', { alt: '', decoding: 'async', onload: () => preview.replaceChildren(image) });
      image.src = entry.previewUrl;
    }
    entry.text = h('span', { class: 'state' });
    entry.bar = h('progress', { max: 1, value: 0, 'aria-label': t('progress', { name: entry.file.name }) });
    entry.buttons = h('div', { class: 'buttons' });
    const words = h('div', { class: 'words' }, h('strong', {}, entry.file.name), entry.text, entry.bar);
    entry.element = h('li', {}, preview, words, entry.buttons);
    $('tray-list').append(entry.element);
  }

  retry(entry) {
    this.setState(entry, 'waiting');
    this.sendNext();
  }

  /** Updates the tray's heading, and announces it to screen readers when it changes. */
  drawSummary() {
    $('tray').hidden = this.entries.every(({ isDismissed }) => isDismissed);
    const text = this.summary();
    if ($('tray-title').textContent !== text && !$('tray').hidden) announce(text);
    $('tray-title').textContent = text;
    const isDismissible = ({ state, isDismissed }) => FINAL_STATES.has(state) && state !== 'ready' && !isDismissed;
    $('tray-clear').hidden = !this.entries.some(isDismissible);
  }

  summary() {
    const countOf = (...states) => this.entries.filter(({ state }) => states.includes(state)).length;
    const all = this.entries.length - countOf('refused');
    const sending = countOf('waiting', 'sending');
    const pending = this.pendingEntries.length;
    if (sending) return t('uploading', { done: formatCount(all - sending), all: formatCount(all) });
    if (pending) return t('processing', { done: formatCount(all - pending), all: formatCount(all) });
    const failed = countOf('rejected', 'refused', 'failed');
    const counts = { ready: formatCount(countOf('ready')), failed: formatCount(failed) };
    return t(failed ? 'finishedWithErrors' : 'finished', counts);
  }

  /** Draws everything again after a change of language. */
  redraw() {
    this.entries.filter(({ isDismissed }) => !isDismissed).forEach((entry) => this.draw(entry));
    this.drawSummary();
  }

  /** Returns whether leaving the page now would lose uploads. */
  get isBusy() {
    return this.entries.some(({ state }) => ['waiting', 'sending'].includes(state));
  }
}
