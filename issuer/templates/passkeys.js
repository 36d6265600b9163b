// Passkeys on the pages of Wardgate: takes the ceremony that a form carries to the browser, and sends the answer back in a
// field of the same form. Without this script the forms stay hidden, and everything else works.
//
// A form says by data-passkey whether a passkey is made ("create") or used ("get"), by data-options with what
// (WebAuthn level 3, in JSON), and in data-waiting, data-cancelled and data-unable what people are told. With
// data-conditional the browser may offer passkeys in the page's own e-mail field as well.
'use strict';

(() => {
  const decode = (text) => {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  };

  const encode = (buffer) => {
    const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('');
    return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  };

  /** What `navigator.credentials` takes: the options with their bytes as bytes. */
  const optionsOf = (form) => {
    const options = JSON.parse(form.dataset.options);
    const descriptor = (credential) => ({ ...credential, id: decode(credential.id) });
    options.challenge = decode(options.challenge);
    if (options.user) options.user.id = decode(options.user.id);
    if (options.allowCredentials) options.allowCredentials = options.allowCredentials.map(descriptor);
    if (options.excludeCredentials) options.excludeCredentials = options.excludeCredentials.map(descriptor);
    return options;
  };

  /** What the server reads: the answer with its bytes as text. */
  const answerOf = (credential) => {
    const given = credential.response;
    const response = { clientDataJSON: encode(given.clientDataJSON) };
    if (given.attestationObject) {
      response.attestationObject = encode(given.attestationObject);
      response.transports = given.getTransports?.() ?? [];
    } else {
      response.authenticatorData = encode(given.authenticatorData);
      response.signature = encode(given.signature);
      response.userHandle = given.userHandle ? encode(given.userHandle) : null;
    }
    return JSON.stringify({
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      response,
      extensions: {},
    });
  };

  const send = (form, credential) => {
    form.elements.credential.value = answerOf(credential);
    form.submit();
  };

  // The browser holds one ceremony at a time: an offer in the e-mail field gives way to the button.
  let offered;

  const ask = async (form) => {
    offered?.abort();
    const publicKey = optionsOf(form);
    return form.dataset.passkey === 'create'
      ? await navigator.credentials.create({ publicKey })
      : await navigator.credentials.get({ publicKey });
  };

  const offer = async (form) => {
    if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
    offered = new AbortController();
    const { signal } = offered;
    try {
      send(form, await navigator.credentials.get({ publicKey: optionsOf(form), mediation: 'conditional', signal }));
    } catch {
      // Nobody chose a passkey there. The button and the password are left.
    }
  };

  const prepare = (form) => {
    const button = form.querySelector('button[type="submit"]');
    const status = form.querySelector('[data-passkey-status]');
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      button.disabled = true;
      status.textContent = form.dataset.waiting;
      try {
        send(form, await ask(form));
      } catch (error) {
        const isTheirs = error.name === 'NotAllowedError' || error.name === 'AbortError';
        status.textContent = isTheirs ? form.dataset.cancelled : form.dataset.unable;
        button.disabled = false;
        button.focus();
      }
    });
    form.hidden = false;
    if ('conditional' in form.dataset) offer(form);
  };

  if (!window.PublicKeyCredential || !navigator.credentials) return;
  document.querySelectorAll('[data-without-passkeys]').forEach((element) => element.remove());
  document.querySelectorAll('form[data-passkey]').forEach(prepare);
})();
