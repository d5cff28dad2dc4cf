// Asks the browser for a passkey where a form wants one: [data-passkey="create" | "get"], on its button.
// The options come with the page, or from the address in data-options; the answer goes into the field "credential".

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const known = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));

async function options(button) {
  const address = button.dataset.options;
  if (!address) return JSON.parse(document.getElementById("passkey-options").textContent);
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return (await answer.json()).request_options;
}

async function create({ publicKey }, isAlone) {
  const selection = { ...publicKey.authenticatorSelection };
  selection.residentKey = isAlone ? "required" : "discouraged";
  selection.requireResidentKey = isAlone;
  if (isAlone) selection.userVerification = "required";
  const made = await navigator.credentials.create({
    publicKey: {
      ...publicKey,
      authenticatorSelection: selection,
      challenge: bytes(publicKey.challenge),
      user: { ...publicKey.user, id: bytes(publicKey.user.id) },
      excludeCredentials: known(publicKey.excludeCredentials),
    },
  });
  return said(made, {
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  });
}

async function get({ publicKey }) {
  const given = await navigator.credentials.get({
    publicKey: {
      ...publicKey,
      challenge: bytes(publicKey.challenge),
      allowCredentials: known(publicKey.allowCredentials),
    },
  });
  const { authenticatorData, signature, userHandle } = given.response;
  return said(given, {
    authenticatorData: text(authenticatorData),
    signature: text(signature),
    userHandle: userHandle && userHandle.byteLength ? text(userHandle) : null,
  });
}

function said(credential, response) {
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...response, clientDataJSON: text(credential.response.clientDataJSON) },
  };
}

async function ask(button) {
  const form = button.form;
  const trouble = document.getElementById("passkey-trouble");
  trouble.hidden = button.disabled = true;
  try {
    const asked = await options(button);
    const isAlone = Boolean(form.elements.passwordless?.checked);
    const answer = button.dataset.passkey === "create" ? await create(asked, isAlone) : await get(asked);
    form.elements.credential.value = JSON.stringify(answer);
    form.submit();
  } catch {
    // Most often the person closed the browser's own dialog: they may try again, or take another way.
    button.disabled = trouble.hidden = false;
  }
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) button.disabled = true;
  button.addEventListener("click", (event) => {
    event.preventDefault();
    ask(button);
  });
}
