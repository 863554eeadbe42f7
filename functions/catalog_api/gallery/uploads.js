// The tray: files on their way to S3, each with its progress, until it is READY or says why it isn't.

import { call, post } from './api.js';
import { $, h, icon, ICONS, pause, say } from './dom.js';
import { bytes, count, reason, t } from './texts.js';

const AT_ONCE = 4;
const PATIENCE_MS = 180_000;
const OVERTAKEN_MS = 15_000;
const STAY_MS = 900;

const OVER = new Set(['ready', 'rejected', 'refused', 'failed', 'slow']);

export class Uploads {
  /** `ready(image)` and `rejected(image)` are called as results come; `refused(error)` tells whether nobody is signed in any more. */
  constructor(config, { ready, rejected, refused }) {
    Object.assign(this, { config, ready, rejected, refused });
    this.entries = [];
    this.held = false;
    this.running = 0;
    this.polling = false;
    $('tray-clear').addEventListener('click', () => this.clear());
  }

  /** Take files: those that can't be pictures are refused at once, the others queue. */
  add(files) {
    for (const file of files) {
      const entry = { file, state: 'waiting', since: 0, looked: 0 };
      entry.problem = this.problem(file, entry);
      if (entry.problem) entry.state = 'refused';
      this.entries.push(entry);
      this.draw(entry);
    }
    this.next();
    this.summary();
  }

  problem(file, entry) {
    const extension = file.name.slice(file.name.lastIndexOf('.')).toLowerCase();
    const known = Object.values(this.config.types);
    entry.type = this.config.types[extension] ?? (known.includes(file.type) ? file.type : undefined);
    if (!entry.type) return 'wrongType';
    if (!file.size) return 'emptyFile';
    return file.size > this.config.max_upload_bytes ? 'tooLarge' : null;
  }

  next() {
    while (!this.held && this.running < AT_ONCE) {
      const entry = this.entries.find((one) => one.state === 'waiting');
      if (!entry) return;
      this.running++;
      this.send(entry).finally(() => {
        this.running--;
        this.next();
      });
    }
  }

  /** Whether an error means that all has to wait for somebody to sign in again. */
  hold(error) {
    const refused = this.refused(error);
    this.held ||= refused;
    return refused;
  }

  /** Somebody has signed in: go on. */
  resume() {
    this.held = false;
    this.next();
    this.poll();
  }

  async send(entry) {
    entry.bar.value = 0;
    this.set(entry, 'sending');
    try {
      const wanted = { filename: entry.file.name.slice(-255), content_type: entry.type, bytes: entry.file.size };
      const upload = await call('POST', 'uploads', wanted);
      await post(upload, entry.file, (share) => (entry.bar.value = share));
      Object.assign(entry, { id: upload.image_id, since: Date.now() });
      this.set(entry, 'sent');
      this.poll();
    } catch (error) {
      this.set(entry, this.hold(error) ? 'waiting' : 'failed');
    }
  }

  set(entry, state) {
    entry.state = state;
    this.draw(entry);
    this.summary();
  }

  /** Ask for those that were sent until all have a verdict or were dismissed; ever more slowly while nothing comes. */
  async poll() {
    if (this.polling) return;
    this.polling = true;
    let wait = 400;
    for (;;) {
      await pause(wait);
      const pending = this.pending;
      if (this.held || !pending.length) break;
      const found = await this.look(pending);
      found.forEach(([entry, image]) => this.arrived(entry, image));
      pending.filter((entry) => entry.state === 'sent' && Date.now() - entry.since > PATIENCE_MS).forEach((entry) => this.set(entry, 'slow'));
      wait = found.length ? 300 : Math.min(8000, wait * 1.5);
    }
    this.polling = false;
  }

  /** Those that were sent and are waited for. */
  get pending() {
    return this.entries.filter((entry) => ['sent', 'slow'].includes(entry.state) && !entry.gone);
  }

  /** An operation's answer, or null. */
  async ask(path) {
    try {
      return await call('GET', path);
    } catch (error) {
      this.hold(error);
      return null;
    }
  }

  /** Those among the newest images that are waited for, in one or two requests; and one in turn of those that others may have pushed out. */
  async look(pending) {
    const waiting = new Map(pending.map((entry) => [entry.id, entry]));
    const found = [];
    let others = false;
    for (const status of ['READY', 'REJECTED']) {
      const query = new URLSearchParams({ status, limit: Math.min(100, 2 * pending.length + 10) });
      const page = await this.ask(`images?${query}`);
      if (!page) return found;
      others ||= Boolean(page.next_cursor);
      found.push(...page.images.filter((image) => waiting.has(image.image_id)).map((image) => [waiting.get(image.image_id), image]));
      if (found.length === pending.length) return found;
    }
    const late = pending.filter((entry) => Date.now() - entry.since > OVERTAKEN_MS && !found.some(([other]) => other === entry));
    if (!others || !late.length) return found;
    const entry = late.reduce((one, other) => (other.looked < one.looked ? other : one));
    entry.looked = Date.now();
    const image = await this.ask(`images/${entry.id}`);
    return image ? [...found, [entry, image]] : found;
  }

  arrived(entry, image) {
    entry.image = image;
    this.set(entry, image.status === 'READY' ? 'ready' : 'rejected');
    if (image.status === 'REJECTED') return this.rejected(image);
    this.ready(image);
    return setTimeout(() => this.dismiss(entry), STAY_MS);
  }

  dismiss(entry) {
    const focused = entry.node.contains(document.activeElement);
    if (entry.preview) URL.revokeObjectURL(entry.preview);
    entry.node.remove();
    entry.gone = true;
    if (this.entries.every((one) => one.gone)) this.entries = [];
    if (focused) ($('tray').hidden ? $('photos') : $('tray-list')).focus();
    this.summary();
  }

  clear() {
    this.entries.filter((entry) => OVER.has(entry.state) && !entry.gone).forEach((entry) => this.dismiss(entry));
  }

  words(entry) {
    if (entry.state === 'refused') return t(entry.problem, { limit: bytes(this.config.max_upload_bytes) });
    if (entry.state === 'rejected') return reason(entry.image);
    return entry.state === 'sending' ? bytes(entry.file.size) : t(entry.state);
  }

  draw(entry) {
    if (!entry.node) this.make(entry);
    entry.node.dataset.state = entry.state;
    entry.text.textContent = this.words(entry);
    entry.bar.hidden = !['waiting', 'sending', 'sent'].includes(entry.state);
    if (entry.state === 'sent') entry.bar.removeAttribute('value');
    const buttons = [];
    if (entry.state === 'failed') buttons.push(h('button', { type: 'button', onclick: () => this.retry(entry) }, t('again')));
    if (OVER.has(entry.state) && entry.state !== 'ready') {
      const label = t('dismiss', { name: entry.file.name });
      buttons.push(h('button', { type: 'button', class: 'icon', 'aria-label': label, onclick: () => this.dismiss(entry) }, icon(ICONS.close)));
    }
    entry.buttons.replaceChildren(...buttons);
  }

  make(entry) {
    const frame = h('div', { class: 'preview' }, icon(ICONS.picture));
    if (entry.type) {
      entry.preview = URL.createObjectURL(entry.file);
      // Browsers that can't show a format (HEIC) keep the icon.
      const image = h('img', { alt: '', decoding: 'async', onload: () => frame.replaceChildren(image) });
      image.src = entry.preview;
    }
    entry.text = h('span', { class: 'state' });
    entry.bar = h('progress', { max: 1, value: 0, 'aria-label': t('progress', { name: entry.file.name }) });
    entry.buttons = h('div', { class: 'buttons' });
    entry.node = h('li', {}, frame, h('div', { class: 'words' }, h('strong', {}, entry.file.name), entry.text, entry.bar), entry.buttons);
    $('tray-list').append(entry.node);
  }

  retry(entry) {
    this.set(entry, 'waiting');
    this.next();
  }

  /** The tray's heading, which screen readers hear as it changes. */
  summary() {
    $('tray').hidden = this.entries.every((entry) => entry.gone);
    const all = this.entries.filter((entry) => entry.state !== 'refused');
    const of = (...states) => this.entries.filter((entry) => states.includes(entry.state)).length;
    const [ready, bad, sending, pending] = [of('ready'), of('rejected', 'refused', 'failed'), of('waiting', 'sending'), this.pending.length];
    const values = { done: count(all.length - sending), all: count(all.length), ready: count(ready), bad: count(bad) };
    let name = bad ? 'finishedSome' : 'finished';
    if (sending) name = 'uploading';
    else if (pending) [name, values.done] = ['working', count(all.length - pending)];
    const text = t(name, values);
    if ($('tray-title').textContent !== text && !$('tray').hidden) say(text);
    $('tray-title').textContent = text;
    $('tray-clear').hidden = !this.entries.some((entry) => OVER.has(entry.state) && entry.state !== 'ready' && !entry.gone);
  }

  /** After a change of language. */
  redraw() {
    this.entries.filter((entry) => !entry.gone).forEach((entry) => this.draw(entry));
    this.summary();
  }

  /** Whether leaving now would lose uploads. */
  get busy() {
    return this.entries.some((entry) => ['waiting', 'sending'].includes(entry.state));
  }
}
