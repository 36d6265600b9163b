// The API reference of Wardgate: a person signs in (authorization code with PKCE) and tries calls. Without this script the page
// reads as well, and nothing can be tried.
//
// The token stays in a field of the page and is stored nowhere; what has to outlive the way to the sign-in page and back (state
// and code verifier) is in the tab's session storage until then. Calls go to this origin alone, which the page's policy holds too.
'use strict';

(() => {
  const KEPT = 'wardgate-reference';
  const section = document.getElementById('signing-in');
  const who = document.getElementById('who');
  const token = document.getElementById('token');
  const forget = document.getElementById('forget');
  const here = `${location.origin}${location.pathname}`;

  const encode = (bytes) =>
    btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  const random = () => encode(crypto.getRandomValues(new Uint8Array(32)));

  /** Says how it went, and shows the buttons that go with it. */
  const say = (text) => {
    who.textContent = text;
    forget.hidden = token.value === '';
  };

  const signIn = async () => {
    const [state, verifier] = [random(), random()];
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
    sessionStorage.setItem(KEPT, JSON.stringify({ state, verifier, hash: location.hash }));
    const query = new URLSearchParams({
      response_type: 'code', client_id: section.dataset.client, redirect_uri: here, scope: section.dataset.scope, state,
      code_challenge: encode(new Uint8Array(digest)), code_challenge_method: 'S256',
    });
    location.assign(`/oauth2/authorize?${query}`);
  };

  /** Takes what came back from the sign-in page, once. */
  const comeBack = async () => {
    const query = new URLSearchParams(location.search);
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
    sessionStorage.removeItem(KEPT);
    if (!query.has('state')) return;
    history.replaceState(null, '', `${location.pathname}${kept?.hash ?? ''}`);
    if (kept?.state !== query.get('state') || query.get('iss') !== location.origin) {
      say('That sign-in was not begun on this page. Please sign in again.');
    } else if (query.has('error')) {
      say(`You were not signed in: ${query.get('error_description') ?? query.get('error')}`);
    } else {
      await redeem(query.get('code'), kept.verifier);
    }
  };

  const redeem = async (code, verifier) => {
    const body = new URLSearchParams({
      grant_type: 'authorization_code', code, redirect_uri: here, client_id: section.dataset.client, code_verifier: verifier,
    });
    const answer = await fetch('/oauth2/token', { method: 'POST', body, credentials: 'omit' });
    const tokens = await answer.json();
    if (!answer.ok) {
      say(`You were not signed in: ${tokens.error_description}`);
      return;
    }
    token.value = tokens.access_token;
    say(`You are signed in. The token is good for ${Math.round(tokens.expires_in / 60)} minutes and permits: ${tokens.scope}`);
  };

  /** The address of a call, its headers and its body. */
  const requestOf = (form) => {
    const headers = new Headers({ Accept: 'application/json' });
    const query = new URLSearchParams();
    let path = form.dataset.path;
    for (const field of form.querySelectorAll('input')) {
      const value = field.value.trim();
      if (field.dataset.place === 'path') path = path.replace(`{${field.name}}`, encodeURIComponent(value));
      else if (value !== '' && field.dataset.place === 'query') query.append(field.name, value);
      else if (value !== '') headers.set(field.name, value);
    }
    if ('token' in form.dataset && token.value.trim() !== '') {
      headers.set('Authorization', `Bearer ${token.value.trim()}`);
    }
    const text = form.querySelector('textarea');
    let body;
    if (text) {
      headers.set('Content-Type', text.dataset.media);
      const pairs = () => text.value.split('\n').filter((line) => line.includes('='));
      const split = (line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()];
      body = text.dataset.media === 'application/json' ? text.value : new URLSearchParams(pairs().map(split)).toString();
    }
    const address = query.size > 0 ? `${path}?${query}` : path;
    return [address, { method: form.dataset.method, headers, body, credentials: 'omit', redirect: 'manual', cache: 'no-store' }];
  };

  const readable = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  const call = async (form) => {
    const outcome = form.querySelector('.outcome');
    const received = form.querySelector('.received');
    received.hidden = true;
    outcome.textContent = 'Sending…';
    try {
      const [address, request] = requestOf(form);
      const answer = await fetch(address, request);
      const text = readable(await answer.text());
      outcome.textContent = answer.type === 'opaqueredirect'
        ? 'The answer sends the browser on, which only a browser can follow.'
        : `${answer.status} ${answer.statusText} from ${request.method} ${address}`;
      received.textContent = text === '' ? '(no body)' : text;
      received.hidden = false;
    } catch (error) {
      outcome.textContent = `There was no answer: ${error.message}`;
    }
  };

  /** Opens the operation that the address names. */
  const open = () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named instanceof HTMLDetailsElement) {
      named.open = true;
      named.scrollIntoView();
    }
  };

  section.hidden = false;
  document.getElementById('sign-in').addEventListener('click', signIn);
  token.addEventListener('input', () => say(token.value === '' ? 'You are not signed in here.' : 'A token is in the field.'));
  forget.addEventListener('click', () => {
    token.value = '';
    say('The token is forgotten. It stays good until it expires, or until you revoke it.');
    token.focus();
  });
  for (const form of document.querySelectorAll('form.call')) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      call(form);
    });
    form.querySelector('.example')?.addEventListener('change', (event) => {
      form.querySelector('.body').value = event.target.selectedOptions[0].dataset.body;
    });
  }
  window.addEventListener('hashchange', open);
  comeBack().catch((error) => say(`You were not signed in: ${error.message}`)).finally(open);
})();
