// A real OpenID provider for one test: `node provider.mjs DIRECTORY REDIRECT_URI [claims-in-token | symmetric]`, where the directory has
// the packages of package-lock.json. Prints its issuer, and then serves until it is killed. Who signs in as an address is
// believed to be that; addresses that begin with "unverified" are not verified.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [directory, redirectUri, how] = process.argv.slice(2);
const entry = join(directory, 'node_modules', 'oidc-provider', 'lib', 'index.js');
const { default: Provider } = await import(pathToFileURL(entry).href);

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'desk',
        client_secret: 'a secret of tests',
        redirect_uris: [redirectUri],
        // By the desk's secret, which it does not believe.
        ...(how === 'symmetric' && { id_token_signed_response_alg: 'HS256' }),
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'HS256'] },
    claims: { email: ['email', 'email_verified'] },
    // By the letter of the standard these claims are asked for apart, if there is an access token.
    conformIdTokenClaims: how !== 'claims-in-token',
    cookies: { keys: ['a key of tests'] },
    async findAccount(_, id) {
      return {
        accountId: id,
        claims: async () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified') }),
      };
    },
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
