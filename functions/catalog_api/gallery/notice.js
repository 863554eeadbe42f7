// One message at the bottom of the window, with buttons for actions.

import { $, h, icon, ICONS } from './dom.js';
import { t } from './texts.js';

/** Shows a message, which screen readers announce, with buttons `[label, action]` and a button that closes it. */
export function showNotice(text, buttons = []) {
  const hadFocus = $('notice').contains(document.activeElement);
  $('notice-text').textContent = text;
  const attributes = { type: 'button', class: 'icon', 'aria-label': t('close'), onclick: hideNotice };
  const close = h('button', attributes, icon(ICONS.close));
  $('notice-buttons').replaceChildren(
    ...buttons.map(([label, onclick]) => h('button', { type: 'button', onclick }, label)), close);
  // Show the message inside an open modal dialog, because elements behind the dialog cannot be used.
  ($('viewer').open ? $('viewer') : document.body).append($('notice'));
  $('notice').hidden = false;
  if (hadFocus) close.focus();
}

export function hideNotice() {
  const hadFocus = $('notice').contains(document.activeElement);
  $('notice').hidden = true;
  $('notice-text').textContent = '';
  if (hadFocus) $('photos').focus();
}
