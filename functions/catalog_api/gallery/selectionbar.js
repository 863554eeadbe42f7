// The actions on the selected photos: download them as one zip, or delete them.

import { downloadZip, fitsZip } from './deletion.js';
import { $ } from './dom.js';
import { hideNotice, showNotice } from './notice.js';
import { formatCount, t } from './texts.js';

const MAX_NAMES = 5;

export class SelectionBar {
  /** `imagesOf()` returns the images of the view. `remove(images)` deletes images. */
  constructor(selection, { imagesOf, remove, handleRefusal }) {
    Object.assign(this, { selection, imagesOf, handleRefusal });
    $('selected-download').addEventListener('click', () => this.download(selection.of(imagesOf())));
    $('selected-delete').addEventListener('click', () => remove(selection.of(imagesOf())));
    $('selected-clear').addEventListener('click', () => {
      selection.clear();
      $('select').focus();
    });
    addEventListener('keydown', ({ key }) => {
      if (key === 'Escape' && selection.isActive && !document.querySelector('dialog[open]')) selection.clear();
    });
  }

  draw() {
    const { isActive, size } = this.selection;
    $('selection').hidden = !isActive;
    $('selected-count').textContent = t('selected', { count: formatCount(size) });
    $('selected-download').disabled = $('selected-delete').disabled = !size;
  }

  async download(images) {
    if (!fitsZip(images)) return showNotice(t('zipTooLarge'));
    const ending = new AbortController();
    const all = formatCount(images.length);
    const show = (done) => showNotice(t('zipping', { done: formatCount(done), all }), [[t('cancel'), cancel]]);
    const cancel = () => {
      ending.abort();
      hideNotice();
    };
    show(0);
    const day = new Date().toISOString().slice(0, 10);
    const failed = await downloadZip(images, `eventloom ${day}.zip`, show, ending.signal);
    if (ending.signal.aborted) return undefined;
    this.selection.clear();
    if (!failed.length) return showNotice(t('zipped', { count: all }));
    const names = failed.slice(0, MAX_NAMES).map(({ filename }) => filename).join(', ');
    return showNotice(t('zippedSome', { count: formatCount(failed.length), names }));
  }
}
