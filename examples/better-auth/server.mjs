// A Better Auth server to try Lambdo with. Users sign up by e-mail and password; all of it is kept in
// memory, keys too. README.md beside this has the settings.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import { SignJWT } from "jose";

const { env } = process;
const url = new URL(env.BETTER_AUTH_URL || "http://localhost:3000");
const secret = env.BETTER_AUTH_SECRET || randomBytes(32).toString("base64url");

const auth = betterAuth({
  baseURL: url.href,
  secret,
  emailAndPassword: { enabled: true },
  user: { deleteUser: { enabled: true } },
  advanced: { database: env.USER_IDS === "uuid" ? { generateId: "uuid" } : {} },
  plugins: [
    jwt({
      jwks: {
        keyPairConfig: { alg: env.KEY_ALGORITHM || "EdDSA" },
        rotationInterval: env.KEY_LIFETIME ? Number(env.KEY_LIFETIME) : undefined,
        jwksPath: env.JWKS_PATH || undefined,
      },
    }),
  ],
});

/** The other way, for a front end that shares a secret with Lambdo: a token signed with HS256. */
async function sendSharedSecretToken(request, response) {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  response.setHeader("Cache-Control", "no-store");
  if (!session) return response.writeHead(401).end();
  const token = await new SignJWT({ email: session.user.email })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(session.user.id)
    .setIssuer(url.origin)
    .setAudience(url.origin)
    .setIssuedAt()
    .setExpirationTime("15m")
    .sign(new TextEncoder().encode(secret));
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ token }));
}

const handle = toNodeHandler(auth);
createServer((request, response) =>
  request.url === "/api/hs256-token" && request.method === "GET"
    ? sendSharedSecretToken(request, response)
    : handle(request, response),
).listen(Number(url.port || 80), url.hostname, () => console.log(`Better Auth is at ${url.href}`));
