// Proxies: which server is reached through which.
import { describe, expect, it } from 'vitest';
import { proxyFor, proxySettings } from '../../../../src/engine/providers/shared/proxy.ts';

const PROXIES = { HTTP_PROXY: 'http://plain:3128', HTTPS_PROXY: 'secure:3129' };

describe('a proxy', () => {
  it.each([
    [{}, 'https://api.example/v1', null],
    [PROXIES, 'https://api.example/v1', 'http://secure:3129'],
    [PROXIES, 'http://api.example/v1', 'http://plain:3128'],
    [{ ...PROXIES, https_proxy: 'http://lower:1' }, 'https://api.example/v1', 'http://lower:1'],
    [{ ...PROXIES, https_proxy: '' }, 'https://api.example/v1', null],
    [{ https_proxy: 'http://lower:1' }, 'http://api.example/v1', null],
    [PROXIES, 'http://localhost:11434/v1', null],
    [PROXIES, 'http://127.0.0.1:11434/v1', null],
    [PROXIES, 'http://[::1]:11434/v1', null],
  ])('of %j for %s is %s', (env, url, expected) => {
    expect(proxyFor(url, proxySettings(env))).toBe(expected);
  });

  it.each([
    ['*', 'https://api.example', true],
    ['api.example', 'https://api.example', true],
    ['example', 'https://api.example', true],
    ['.example', 'https://api.example', true],
    ['pi.example', 'https://api.example', false],
    ['other, API.EXAMPLE', 'https://api.example', true],
    ['api.example:8443', 'https://api.example:8443', true],
    ['api.example:8443', 'https://api.example', false],
    ['api.example:443', 'https://api.example', true],
    ['10.0.0.0/8', 'http://10.1.2.3:8000', true],
    ['10.0.0.0/8', 'http://11.1.2.3:8000', false],
    ['10.1.2.3', 'http://10.1.2.3:8000', true],
    ['fd00::/8', 'http://[fd12::1]:8000', true],
    ['10.0.0.0/99', 'http://10.1.2.3', false],
  ])('is left out by NO_PROXY=%s for %s: %s', (list, url, direct) => {
    for (const name of ['NO_PROXY', 'no_proxy'])
      expect(proxyFor(url, proxySettings({ ...PROXIES, [name]: list })) === null).toBe(direct);
  });
});
