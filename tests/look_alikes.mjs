// A Better Auth server that hands out all that is like a token for an API and is none. Runs beside the
// packages of examples/better-auth.
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { toNodeHandler } from "better-auth/node";
import { bearer, jwt } from "better-auth/plugins";

const { BETTER_AUTH_URL, BETTER_AUTH_SECRET, SIGN_SESSIONS_WITH } = process.env;
const url = new URL(BETTER_AUTH_URL);
const mails = [];

const handle = toNodeHandler(
  betterAuth({
    baseURL: url.href,
    secret: BETTER_AUTH_SECRET,
    emailAndPassword: { enabled: true },
    emailVerification: {
      sendOnSignUp: true,
      sendVerificationEmail: async ({ token }) => void mails.push(token),
    },
    session: { cookieCache: { enabled: true, strategy: "jwt" } },
    plugins: [bearer(), jwt({ sessionCookieCache: SIGN_SESSIONS_WITH === "keys" })],
  }),
);
createServer((request, response) =>
  request.url === "/mails" ? response.end(JSON.stringify(mails)) : handle(request, response),
).listen(Number(url.port), url.hostname);
