// What an app's page does: it signs up, uploads a picture, signs out. It returns what it read.
async ({ api, number, byCookies }) => {
  const seen = {};
  let token = null;
  let csrf = null;

  async function call(method, path, body) {
    const headers = {};
    if (token) headers.Authorization = `Bearer ${token}`;
    if (csrf && method !== "GET") headers["X-CSRF-Token"] = csrf;
    if (body && !(body instanceof FormData)) headers["Content-Type"] = "application/json";
    return fetch(`${api}${path}`, {
      method,
      headers,
      credentials: byCookies ? "include" : "omit",
      body: body instanceof FormData ? body : body && JSON.stringify(body),
    });
  }

  async function read(method, path, body) {
    const answer = await call(method, path, body);
    const text = await answer.text();
    return { status: answer.status, body: text && JSON.parse(text), headers: answer.headers };
  }

  async function readCode() {
    const to = encodeURIComponent(number);
    const inbox = await read("GET", `/v1/auth/dev/inbox?to=${to}&wait=20`);
    return inbox.body.items[0].text.slice(0, 6);
  }

  const picture = await new Promise((done) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    canvas.getContext("2d").fillRect(8, 8, 32, 32);
    canvas.toBlob(done, "image/jpeg");
  });

  await read("POST", "/v1/auth/signup", { name: "Asha", phone_number: number });
  const proof = { phone_number: number, otp: await readCode() };
  const transport = byCookies ? { transport: "cookie" } : {};
  const signedUp = await read("POST", "/v1/auth/signup", { ...proof, ...transport });
  token = signedUp.body.access_token ?? null;
  csrf = signedUp.body.csrf ?? null;
  seen.signedUp = signedUp.status;
  seen.hasToken = token !== null;

  const me = await read("GET", "/v1/auth/me");
  seen.me = me.body.phone_number;
  seen.csrfRepeated = (me.body.csrf ?? null) === csrf;
  csrf = me.body.csrf ?? null; // as after a reload of the page

  const form = new FormData();
  form.append("scheduled_at", new Date().toISOString().slice(0, 10));
  form.append("file", picture, "photo.jpg");
  const uploaded = await read("POST", "/v1/media/creatives", form);
  seen.uploaded = uploaded.status;
  seen.location = uploaded.headers.get("Location");
  const file = await call("GET", `${seen.location}/file`);
  seen.file = [file.status, (await createImageBitmap(await file.blob())).width];
  seen.etag = file.headers.get("ETag") !== null;

  const refresh = byCookies ? {} : { refresh_token: signedUp.body.refresh_token };
  const refreshed = await read("POST", "/v1/auth/refresh", refresh);
  seen.refreshed = refreshed.status;
  token = refreshed.body.access_token ?? null;

  seen.signedOut = (await call("POST", "/v1/auth/logout")).status;
  const refused = await read("GET", "/v1/auth/me");
  seen.refused = [refused.status, refused.body.code];
  seen.requestId = refused.headers.get("X-Request-ID") === refused.body.request_id;
  seen.unknown = (await read("GET", "/v1/media/nowhere")).body.code;
  return seen;
};
