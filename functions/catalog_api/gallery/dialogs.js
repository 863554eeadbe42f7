// The question before a deletion.

import { $, h } from './dom.js';
import { t } from './texts.js';

/** Asks whether to delete an image. Returns a promise of the answer. */
export function confirmDeletion(image) {
  const dialog = $('confirm');
  const closeWith = (value) => () => dialog.close(value);
  dialog.replaceChildren(
    h('h2', { id: 'confirm-title' }, t('deleteTitle')),
    h('p', {}, t('deleteText', { name: image.filename })),
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
