// The questions of the page: whether to delete, and what to share.

import { call, pageAddress } from './api.js';
import { $, h } from './dom.js';
import { formatCount, formatTime, t } from './texts.js';

const HOURS = [['anHour', 1], ['aDay', 24], ['aWeek', 168]];

/** Asks whether to delete images. Returns a promise of the answer. */
export function confirmDeletion(images) {
  const dialog = $('confirm');
  const closeWith = (value) => () => dialog.close(value);
  const values = { name: images[0].filename, count: formatCount(images.length) };
  dialog.replaceChildren(
    h('h2', { id: 'confirm-title' }, images.length > 1 ? t('deleteManyTitle', values) : t('deleteTitle')),
    h('p', {}, images.length > 1 ? t('deleteManyText', values) : t('deleteText', values)),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', autofocus: true, onclick: closeWith('') }, t('cancel')),
      h('button', { type: 'button', class: 'danger', onclick: closeWith('delete') }, t('delete'))),
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    // onclose replaces the listener of the last question, which must not receive this answer. The browser sends the
    // event after the dialog has closed. If the dialog is open, the event belongs to the last question.
    dialog.onclose = () => dialog.open || resolve(dialog.returnValue === 'delete');
  });
}

/** Lets the user create, copy and revoke a link to one image. */
export function shareImage(image, handleRefusal) {
  const dialog = $('share');
  const error = h('p', { class: 'error', role: 'alert' });
  const link = h('input', { type: 'url', readOnly: true, hidden: true, 'aria-label': t('shareLink') });
  const copy = h('button', { type: 'button', hidden: true }, t('copy'));
  const revoke = h('button', { type: 'button', class: 'danger', hidden: true }, t('revoke'));
  const note = h('p', { role: 'status' }, t('shareText'));
  const hours = h('select', { id: 'share-hours' },
    ...HOURS.map(([name, value]) => h('option', { value, selected: name === 'aDay' }, t(name))));
  const original = h('input', { type: 'checkbox' });
  const attempt = async (action) => {
    error.textContent = '';
    try {
      await action();
    } catch (problem) {
      if (handleRefusal(problem)) dialog.close();
      else error.textContent = t('shareFailed');
    }
  };
  const address = `images/${image.image_id}/share`;
  const create = () => attempt(async () => {
    const answer = await call('POST', address, { hours: Number(hours.value), original: original.checked });
    link.value = new URL(answer.path, pageAddress()).href;
    note.textContent = t('sharedUntil', { time: formatTime(answer.expires_at) });
    link.hidden = copy.hidden = revoke.hidden = false;
    link.focus();
    link.select();
  });
  copy.addEventListener('click', () => navigator.clipboard.writeText(link.value)
    .then(() => (note.textContent = t('copied')), () => link.select()));
  revoke.addEventListener('click', () => attempt(async () => {
    await call('DELETE', address);
    link.hidden = copy.hidden = revoke.hidden = true;
    note.textContent = t('revoked');
    hours.focus();
  }));
  dialog.replaceChildren(
    h('h2', { id: 'share-title' }, t('shareTitle', { name: image.filename })), note, error,
    h('div', { class: 'field' }, link, copy),
    h('label', { htmlFor: 'share-hours' }, t('shareFor')), hours,
    h('label', { class: 'choice' }, original, h('span', {}, t('shareOriginal'))),
    h('div', { class: 'buttons' },
      h('button', { type: 'button', onclick: () => dialog.close() }, t('close')), revoke,
      h('button', { type: 'button', class: 'primary', onclick: create }, t('createLink'))),
  );
  dialog.showModal();
}
