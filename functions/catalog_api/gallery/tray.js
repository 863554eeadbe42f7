// Draws the uploads: one line per file, and one bar, in bytes, for all of them.

import { $, announce, h, icon, ICONS } from './dom.js';
import { shownLimit } from './files.js';
import { formatBytes, formatCount, rejectionText, t } from './texts.js';

/** The final states of a file, which change only by the user. Before them, a file is waiting, sending or sent. */
export const FINAL_STATES = new Set(['ready', 'rejected', 'refused', 'failed', 'slow', 'duplicate']);

export class Tray {
  /** `queue` has the entries, and the actions of the buttons: `cancel`, `retry` and `dismiss`. */
  constructor(queue) {
    this.queue = queue;
    const onclick = (id, action) => $(id).addEventListener('click', () => queue[action]());
    onclick('tray-pause', 'togglePause');
    onclick('tray-cancel', 'cancelAll');
    onclick('tray-retry', 'retryAll');
    onclick('tray-clear', 'dismissFinished');
  }

  draw(entry) {
    if (!entry.element) this.createElement(entry);
    entry.element.dataset.state = entry.state;
    entry.text.replaceChildren(this.textOf(entry), ...this.linksOf(entry));
    entry.bar.hidden = !['waiting', 'sending', 'sent'].includes(entry.state);
    // Without a value the bar is indeterminate.
    if (entry.state === 'sent') entry.bar.removeAttribute('value');
    else entry.bar.value = entry.share;
    this.drawButtons(entry);
  }

  textOf(entry) {
    const { config } = this.queue;
    if (entry.state === 'refused') return t(entry.problem, { limit: formatBytes(shownLimit(config)) });
    if (entry.state === 'rejected') return rejectionText(entry.image);
    if (entry.state === 'waiting' && entry.isRetried) return t('waitingToRetry');
    return entry.state === 'sending' ? formatBytes(entry.file.size) : t(entry.state);
  }

  /** Returns the photo in the gallery that has the same bytes as a duplicate. */
  linksOf({ state, twinId }) {
    return state === 'duplicate' && twinId ? [' ', h('a', { href: `#photo=${twinId}` }, t('showPhoto'))] : [];
  }

  drawButtons(entry) {
    const { name } = entry.file;
    const buttons = [];
    if (entry.state === 'failed') {
      buttons.push(h('button', { type: 'button', onclick: () => this.queue.retry(entry) }, t('retry')));
    }
    if (entry.state === 'duplicate') {
      buttons.push(h('button', { type: 'button', onclick: () => this.queue.sendAnyway(entry) }, t('uploadAnyway')));
    }
    if (['waiting', 'sending'].includes(entry.state)) {
      buttons.push(this.closeButton(t('cancelUpload', { name }), () => this.queue.cancel(entry)));
    } else if (FINAL_STATES.has(entry.state) && entry.state !== 'ready') {
      const label = t(entry.state === 'duplicate' ? 'skipDuplicate' : 'dismiss', { name });
      buttons.push(this.closeButton(label, () => this.queue.dismiss(entry)));
    }
    const labelOf = (button) => button.ariaLabel ?? button.textContent;
    const shown = [...entry.buttons.children].map(labelOf);
    // Buttons that are still needed stay in the document, so that they keep the focus.
    if (shown.join() !== buttons.map(labelOf).join()) entry.buttons.replaceChildren(...buttons);
  }

  closeButton(label, onclick) {
    return h('button', { type: 'button', class: 'icon', 'aria-label': label, onclick }, icon(ICONS.close));
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

  /** Removes a file's line. The focus moves to the list if it was in the line. */
  remove(entry) {
    const hadFocus = entry.element.contains(document.activeElement);
    if (entry.previewUrl) URL.revokeObjectURL(entry.previewUrl);
    entry.element.remove();
    this.drawSummary();
    if (hadFocus) this.focus();
  }

  focus() {
    ($('tray').hidden ? $('photos') : $('tray-list')).focus();
  }

  /** Updates the heading, and announces it to screen readers when it changes. */
  drawSummary() {
    const { queue } = this;
    const visible = queue.entries.filter(({ isDismissed }) => !isDismissed);
    const focused = document.activeElement;
    const has = (...states) => visible.some(({ state }) => states.includes(state));
    $('tray').hidden = !visible.length;
    const text = this.summary();
    if ($('tray-title').textContent !== text && visible.length) announce(text);
    $('tray-title').textContent = text;
    $('tray-pause').hidden = $('tray-cancel').hidden = !has('waiting', 'sending');
    $('tray-pause').textContent = t(queue.isPausedByUser ? 'resume' : 'pause');
    $('tray-retry').hidden = !has('failed');
    $('tray-clear').hidden = !has('rejected', 'refused', 'failed', 'slow', 'duplicate');
    if ($('tray').contains(focused) && !focused.checkVisibility()) this.focus();
    this.drawBytes();
  }

  summary() {
    const { queue } = this;
    const countOf = (...states) => queue.entries.filter(({ state }) => states.includes(state)).length;
    const all = queue.entries.length - countOf('refused', 'duplicate');
    const sending = countOf('waiting', 'sending');
    const pending = queue.pendingEntries.length;
    const progress = (left) => ({ done: formatCount(all - left), all: formatCount(all) });
    if (sending) return t(queue.nameOfProgress, progress(sending));
    if (pending) return t('processing', progress(pending));
    const failed = countOf('rejected', 'refused', 'failed');
    const same = countOf('duplicate');
    const counts = { ready: formatCount(countOf('ready')), failed: formatCount(failed), same: formatCount(same) };
    if (same) return t(failed ? 'finishedWithBoth' : 'finishedWithDuplicates', counts);
    return t(failed ? 'finishedWithErrors' : 'finished', counts);
  }

  /** Updates the bar for the whole batch, and the title of the window. */
  drawBytes() {
    const { sent, all } = this.queue.bytes;
    const isSending = this.queue.isBusy;
    $('tray-bytes').hidden = !isSending;
    $('tray-bar').value = all ? sent / all : 0;
    $('tray-sent').textContent = t('bytesOf', { sent: formatBytes(sent), all: formatBytes(all) });
    const percent = `${Math.floor((100 * sent) / (all || 1))}%`;
    document.title = isSending ? t('titleUploading', { percent }) : t('title');
  }

  /** Draws everything again after a change of language. */
  redraw() {
    this.queue.entries.filter(({ isDismissed }) => !isDismissed).forEach((entry) => this.draw(entry));
    this.drawSummary();
  }
}
