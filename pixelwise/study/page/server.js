// The server's API, as functions.

export class OutOfTurn extends Error {
  constructor(answered) {
    super("This pair was answered before.");
    this.answered = answered;
  }
}

export class UnknownRater extends Error {
  constructor() {
    super("The study does not know you any more; please give your name again.");
  }
}

const loading = new Map();

export const describe = () => request("/api/study");

export const admit = (name) => request("/api/raters", { name });

export function answer(token, trial, choice, milliseconds) {
  loading.delete(addressOf(token, trial));
  return request(`/api/raters/${token}/answers`, { trial, choice, milliseconds });
}

// The pictures of a trial, decoded: shown, they appear at once. Asked for twice, they are fetched once.
export function loadTrial(token, number, withCondition) {
  const address = addressOf(token, number);
  if (!loading.has(address)) {
    const pictures = loadPictures(address, withCondition);
    pictures.catch(() => loading.delete(address));
    loading.set(address, pictures);
  }
  return loading.get(address);
}

const addressOf = (token, number) => `/api/raters/${token}/trials/${number}`;

async function loadPictures(address, withCondition) {
  const [left, right, condition] = await Promise.all([
    loadPicture(`${address}/left`, ""),
    loadPicture(`${address}/right`, ""),
    withCondition ? loadPicture(`${address}/condition`, "What both pictures were made from") : null,
  ]);
  return { left, right, condition };
}

async function loadPicture(address, text) {
  const picture = new Image();
  picture.draggable = false;
  picture.alt = text;
  picture.src = address;
  try {
    await picture.decode();
  } catch {
    throw new Error("A picture does not come.");
  }
  return picture;
}

async function request(address, content) {
  const response = await fetch(address, content && posted(content)).catch(() => {
    throw new Error("The server does not answer.");
  });
  if (response.ok) return response.json();
  const { detail } = await response.json().catch(() => ({}));
  if (response.status === 409) throw new OutOfTurn(detail.answered);
  if (response.status === 404) throw new UnknownRater();
  throw new Error(typeof detail === "string" ? `The server says: ${detail}.` : "The server could not do that.");
}

function posted(content) {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) };
}
