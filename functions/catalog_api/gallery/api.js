// The catalog's HTTP API, and who may call it: an API key or a user of Cognito, both for this session only.

import { pause } from './dom.js';

const KEY = 'eventloom.key';
const TOKEN = 'eventloom.token';
const VERIFIER = 'eventloom.verifier';
const here = () => location.origin + location.pathname;

/** What the API refused: an HTTP status (0: not reached) and a text. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

let config = null;

/** The page's configuration, read once. */
export async function configuration() {
  if (!config) {
    const answer = await fetch(new URL('config.json', import.meta.url));
    if (!answer.ok) throw new Refused(answer.status, 'config.json');
    config = await answer.json();
    takeKey();
  }
  return config;
}

/** A key in the address's fragment, which is sent nowhere: taken, and removed from what others could see. Whether there was one to use. */
export function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get('key');
  if (!config || !given) return false;
  history.replaceState(null, '', location.pathname);
  if (config.auth !== 'api_key') return false;
  useKey(given);
  return true;
}

function credentials() {
  const [key, token] = [sessionStorage.getItem(KEY), sessionStorage.getItem(TOKEN)];
  if (config.auth === 'api_key' && key) return { 'X-Api-Key': key };
  if (config.auth === 'cognito' && token) return { Authorization: token };
  return {};
}

/** Whether there is something to call with. */
export const signedIn = () => config.auth === 'none' || Object.keys(credentials()).length > 0;

/** Remember an API key for this session. */
export const useKey = (key) => sessionStorage.setItem(KEY, key.trim());

/** Forget who this is. */
export function forget() {
  [KEY, TOKEN, VERIFIER].forEach((name) => sessionStorage.removeItem(name));
}

/** Sign out, of the user pool's own page too, and load the page anew: nothing that was shown stays. */
export function signOut() {
  forget();
  if (config.auth !== 'cognito') return location.reload();
  return location.assign(`${config.cognito.domain}/logout?${new URLSearchParams({ client_id: config.cognito.client_id, logout_uri: here() })}`);
}

const MOST_TRIES = 4;

/** Call an operation; its JSON, or null without a body. Busy answers are tried again, with back-off. Throws Refused. */
export async function call(method, path, body) {
  const headers = headersFor(body);
  for (let tries = 1; ; tries++) {
    let answer;
    try {
      answer = await fetch(new URL(path, here()), { method, headers, body: body && JSON.stringify(body) });
    } catch {
      answer = null;
    }
    if (answer?.ok) return answer.status === 204 ? null : answer.json();
    const busy = !answer || answer.status === 429 || answer.status === 503;
    if (!busy || tries === MOST_TRIES) throw new Refused(answer?.status ?? 0, answer ? await detail(answer) : '');
    await pause(Number(answer?.headers.get('Retry-After') ?? 0) * 1000 || 400 * 2 ** tries);
  }
}

function headersFor(body) {
  try {
    return new Headers({ ...credentials(), ...(body ? { 'Content-Type': 'application/json' } : {}) });
  } catch {
    // A key of characters that no header takes is none.
    throw new Refused(401, '');
  }
}

async function detail(answer) {
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? problem.title ?? '';
}

/** Send a file by a presigned POST; `progress` hears shares of 1. XMLHttpRequest, because fetch tells nothing about uploads. */
export function post({ url, fields }, file, progress) {
  const form = new FormData();
  Object.entries(fields).forEach(([name, value]) => form.append(name, value));
  form.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener('progress', (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener('load', () => (request.status < 300 ? resolve() : reject(new Error(`S3 answered ${request.status}`))));
    request.addEventListener('error', () => reject(new Error('S3 was not reached')));
    request.open('POST', url);
    request.send(form);
  });
}

const encoded = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

/** Go to the user pool's own sign-in page (OAuth 2.0 code flow with PKCE). */
export async function signInWithCognito() {
  const verifier = encoded(crypto.getRandomValues(new Uint8Array(48)));
  const state = encoded(crypto.getRandomValues(new Uint8Array(16)));
  sessionStorage.setItem(VERIFIER, JSON.stringify({ verifier, state }));
  const challenge = encoded(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const wanted = { response_type: 'code', client_id: config.cognito.client_id, redirect_uri: here(), scope: 'openid email', state };
  const query = new URLSearchParams({ ...wanted, code_challenge: challenge, code_challenge_method: 'S256' });
  location.assign(`${config.cognito.domain}/oauth2/authorize?${query}`);
}

/** Back from the sign-in page: change the code for a token. Throws Refused if that fails. */
export async function finishSignIn() {
  const query = new URLSearchParams(location.search);
  if (config.auth !== 'cognito' || !(query.has('code') || query.has('error'))) return;
  const asked = JSON.parse(sessionStorage.getItem(VERIFIER) ?? '{}');
  sessionStorage.removeItem(VERIFIER);
  history.replaceState(null, '', location.pathname);
  if (query.has('error') || !asked.state || query.get('state') !== asked.state) throw new Refused(401, query.get('error') ?? '');
  const body = { grant_type: 'authorization_code', client_id: config.cognito.client_id, redirect_uri: here() };
  const answer = await fetch(`${config.cognito.domain}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({ ...body, code: query.get('code'), code_verifier: asked.verifier }),
  });
  if (!answer.ok) throw new Refused(answer.status, '');
  // The id token: API Gateway's authorizer takes it where no scopes are asked for.
  sessionStorage.setItem(TOKEN, (await answer.json()).id_token);
}
