// The page: sign-in, uploads, theme and language.

import {
  ApiError, finishSignIn, forgetCredentials, isSignedIn, loadConfig, saveKey, signInWithCognito, signOut,
  takeKeyFromAddress,
} from './api.js';
import { $, icon, ICONS } from './dom.js';
import { filesOfDrop, filesOfPaste } from './files.js';
import { Gallery } from './gallery.js';
import { forgetLinks } from './links.js';
import { language, setLanguage, setText, t, translate } from './texts.js';
import { Uploads } from './uploads.js';

const STORED_THEME = 'eventloom.theme';
const SIGN_IN_HELP = { api_key: 'keyHelp', cognito: 'cognitoHelp', iam: 'iamHelp', none: 'noAccess' };
const REFUSAL = { api_key: 'keyInvalid', cognito: 'sessionExpired' };

let config;
let uploads;
let gallery;

/** Shows the sign-in if an error means that the caller must sign in again. Returns whether it means that. */
function handleRefusal(error) {
  if (!(error instanceof ApiError) || ![401, 403].includes(error.status)) return false;
  forgetCredentials();
  forgetLinks();
  showSignIn(REFUSAL[config.auth]);
  return true;
}

/** Shows the sign-in, with an error by the name of its text. */
function showSignIn(errorName) {
  gallery.stop();
  ['gallery', 'find', 'views', 'pick', 'sign-out', 'selection', 'notice'].forEach((id) => ($(id).hidden = true));
  $('sign-in').hidden = false;
  $('key-form').hidden = config.auth !== 'api_key';
  $('cognito').hidden = config.auth !== 'cognito';
  setText($('sign-in-help'), SIGN_IN_HELP[config.auth]);
  setText($('sign-in-error'), errorName);
  if (config.auth === 'api_key') $('key').focus();
}

function showGallery() {
  $('sign-in').hidden = true;
  ['gallery', 'views', 'pick'].forEach((id) => ($(id).hidden = false));
  $('sign-out').hidden = config.auth === 'none';
  gallery.start();
  uploads.resume();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
}

function toggleTheme() {
  const root = document.documentElement;
  const isSystemDark = !root.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches;
  const isDark = getComputedStyle(root).colorScheme === 'dark' || isSystemDark;
  const name = isDark ? 'light' : 'dark';
  localStorage.setItem(STORED_THEME, name);
  setTheme(name);
}

function translatePage() {
  translate();
  document.title = t('title');
  document.querySelectorAll('.accepts').forEach((element) => (element.textContent = gallery?.acceptedFiles ?? ''));
  const otherLanguage = language === 'ko' ? 'en' : 'ko';
  $('language').lang = otherLanguage;
  $('language').textContent = otherLanguage === 'ko' ? '한국어' : 'English';
}

function toggleLanguage() {
  setLanguage(language === 'ko' ? 'en' : 'ko');
  translatePage();
  uploads?.redraw();
  gallery?.redraw();
}

function addListeners() {
  $('theme').append(icon(ICONS.theme));
  $('theme').addEventListener('click', toggleTheme);
  $('language').addEventListener('click', toggleLanguage);
  $('sign-out').addEventListener('click', () => {
    gallery.stop();
    forgetLinks();
    signOut();
  });
  $('cognito').addEventListener('click', signInWithCognito);
  $('key-form').addEventListener('submit', (event) => {
    event.preventDefault();
    saveKey($('key').value, $('remember').checked);
    $('key').value = '';
    showGallery();
  });
  $('pick').addEventListener('click', () => $('files').click());
  $('files').addEventListener('change', () => {
    uploads.add($('files').files);
    // Without this, the same file could not be selected again.
    $('files').value = '';
  });
  addEventListener('hashchange', () => takeKeyFromAddress() && showGallery());
  addEventListener('beforeunload', (event) => uploads?.isBusy && event.preventDefault());
}

function acceptDropsAndPastes() {
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    $('drop').hidden = $('gallery').hidden;
  });
  // relatedTarget is null when the pointer leaves the window.
  addEventListener('dragleave', (event) => !event.relatedTarget && ($('drop').hidden = true));
  addEventListener('drop', (event) => {
    $('drop').hidden = true;
    if (!hasFiles(event)) return;
    // By default the browser leaves the page and opens the file.
    event.preventDefault();
    if (!$('gallery').hidden) filesOfDrop(event.dataTransfer).then((files) => uploads.add(files));
  });
  addEventListener('paste', (event) => {
    const pictures = filesOfPaste(event.clipboardData);
    if (!pictures.length || $('gallery').hidden) return;
    event.preventDefault();
    uploads.add(pictures);
  });
}

async function start() {
  const theme = localStorage.getItem(STORED_THEME);
  if (theme) setTheme(theme);
  translatePage();
  addListeners();
  try {
    config = await loadConfig();
    gallery = new Gallery(config, handleRefusal);
    uploads = new Uploads(config, { onResult: (image) => gallery.addImages([image]), handleRefusal });
    $('files').accept = [...new Set(Object.entries(config.types).flat())].join(',');
    acceptDropsAndPastes();
    translatePage();
    await finishSignIn();
  } catch {
    if (config) return showSignIn('signInFailed');
    $('sign-in').hidden = false;
    return setText($('sign-in-error'), 'unreachable');
  }
  if (isSignedIn()) showGallery();
  else showSignIn();
}

start();
