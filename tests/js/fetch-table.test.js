// The same cases against our classes and the platform's: outcomes have to be equal, but for the few
// where Node leaves the standard, which are listed with what the standard says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Headers as OurHeaders } from '../../lib/headers.js'
import { Request as OurRequest } from '../../lib/request.js'
import { Response as OurResponse } from '../../lib/response.js'

const OURS = { Headers: OurHeaders, Request: OurRequest, Response: OurResponse }
const THEIRS = { Headers, Request, Response }

const URL_A = 'http://example.com/a'
const bytes = (...values) => Uint8Array.of(...values)
const streamOfText = (text) => new Blob([text]).stream()
/** Whether two readings of a member give one object. */
const same = (object, member) => Object.is(object[member], object[member])
const post = (F, body, more) => new F.Request(URL_A, { method: 'POST', body, ...more })

/** Cases: a name and a function from the classes to a value, a promise or an exception. */
const HEADERS_CASES = {
  'the class has no parent': (F) => Object.getPrototypeOf(F.Headers) === Function.prototype,
  'no init': (F) => [...new F.Headers()],
  'init null': (F) => new F.Headers(null),
  'init undefined': (F) => [...new F.Headers(undefined)],
  'init number': (F) => new F.Headers(5),
  'init string': (F) => new F.Headers('ab'),
  'init boolean': (F) => new F.Headers(false),
  'init symbol': (F) => new F.Headers(Symbol('a')),
  'init function as a record': (F) => [...new F.Headers(Object.assign(() => {}, { a: '1' }))],
  record: (F) => [...new F.Headers({ b: '2', A: '1' })],
  'record with number values': (F) => [...new F.Headers({ a: 1, b: null, c: undefined })],
  'record whose keys differ in case': (F) => [...new F.Headers({ a: '1', A: '2' })],
  'record with an inherited key': (F) => [...new F.Headers(Object.create({ a: '1' }))],
  'record with a hidden key': (F) => [
    ...new F.Headers(Object.defineProperty({}, 'a', { value: '1' })),
  ],
  'record with a symbol key': (F) => new F.Headers({ [Symbol('a')]: '1' }),
  'record with a hidden symbol key': (F) => [
    ...new F.Headers(Object.defineProperty({ a: '1' }, Symbol('s'), { value: 1 })),
  ],
  'record with a symbol value': (F) => new F.Headers({ a: Symbol('a') }),
  'record with a throwing getter': (F) =>
    new F.Headers({
      get a() {
        throw new EvalError('getter')
      },
    }),
  'record with a null prototype': (F) => [
    ...new F.Headers(Object.assign(Object.create(null), { a: '1' })),
  ],
  'record with a null iterator': (F) => new F.Headers({ [Symbol.iterator]: null }),
  'record with an iterator that is no function': (F) => new F.Headers({ [Symbol.iterator]: 5 }),
  pairs: (F) => [
    ...new F.Headers([
      ['b', '2'],
      ['a', '1'],
      ['b', '3'],
    ]),
  ],
  'pairs from a Map': (F) => [...new F.Headers(new Map([['a', '1']]))],
  'pairs from a generator': (F) => [
    ...new F.Headers(
      (function* () {
        yield ['a', '1']
      })(),
    ),
  ],
  'pairs from sets': (F) => [...new F.Headers([new Set(['a', '1'])])],
  'pair of one': (F) => new F.Headers([['a']]),
  'pair of three': (F) => new F.Headers([['a', '1', '2']]),
  'pair of none': (F) => new F.Headers([[]]),
  'pair that is a string': (F) => new F.Headers(['ab']),
  'pair that is null': (F) => new F.Headers([null]),
  'pair with numbers': (F) => [...new F.Headers([[1, 2]])],
  'pair with a symbol': (F) => new F.Headers([['a', Symbol('b')]]),
  'empty array': (F) => [...new F.Headers([])],
  'from Headers': (F) => [...new F.Headers(new F.Headers({ a: '1' }))],
  'from Headers with cookies': (F) => [
    ...new F.Headers(
      new F.Headers([
        ['set-cookie', 'a'],
        ['set-cookie', 'b'],
      ]),
    ),
  ],
  'copy is independent': (F) => {
    const first = new F.Headers({ a: '1' })
    const second = new F.Headers(first)
    second.set('a', '2')
    return [first.get('a'), second.get('a')]
  },
  'empty name': (F) => new F.Headers({ '': 'a' }),
  'name with a space': (F) => new F.Headers({ 'a b': 'a' }),
  'name with a colon': (F) => new F.Headers({ 'a:': 'a' }),
  'name with a non-ASCII byte': (F) => new F.Headers({ é: 'a' }),
  'name above a byte': (F) => new F.Headers({ 'a\u0100': 'a' }),
  'name of all token characters': (F) => [...new F.Headers({ "!#$%&'*+-.^_`|~09AZaz": '1' })],
  'name with a newline': (F) => new F.Headers({ 'a\n': '1' }),
  'name that is __proto__': (F) => [...new F.Headers([['__proto__', '1']])],
  'name that is constructor': (F) => new F.Headers().get('constructor'),
  'value trimmed': (F) => [...new F.Headers({ a: ' \t\r\n1 2\t \r\n' })],
  'value of white space': (F) => [...new F.Headers({ a: ' \t ' })],
  'value with a form feed at its end': (F) => [...new F.Headers({ a: 'b\f' })],
  'value with a no-break space at its end': (F) => [...new F.Headers({ a: 'b\u00a0' })],
  'value with NUL': (F) => new F.Headers({ a: 'a\0b' }),
  'value with CR': (F) => new F.Headers({ a: 'a\rb' }),
  'value with LF': (F) => new F.Headers({ a: 'a\nb' }),
  'value with CRLF and a field': (F) => new F.Headers({ a: 'a\r\nb: c' }),
  'value with a control byte': (F) => [...new F.Headers({ a: 'a\x01b\x7f' })],
  'value with latin1 bytes': (F) => [...new F.Headers({ a: 'caf\xe9 \xff' })],
  'value above a byte': (F) => new F.Headers({ a: 'a\u0100' }),
  'value above a byte with the low byte LF': (F) => new F.Headers({ a: 'a\u010ab' }),
  'append joins': (F) => {
    const headers = new F.Headers()
    headers.append('A', '1')
    headers.append('a', '2')
    return [headers.get('A'), [...headers]]
  },
  'append returns undefined': (F) => new F.Headers().append('a', 'b'),
  'append with one argument': (F) => new F.Headers().append('a'),
  'append an empty value': (F) => {
    const headers = new F.Headers([
      ['a', ''],
      ['a', ''],
    ])
    return headers.get('a')
  },
  'append a bad name': (F) => new F.Headers().append('a b', 'c'),
  'append a bad value': (F) => new F.Headers().append('a', 'a\0'),
  'cookies join by semicolon': (F) =>
    new F.Headers([
      ['Cookie', 'a=1'],
      ['cookie', 'b=2'],
    ]).get('cookie'),
  'set replaces the first and drops the rest': (F) => {
    const headers = new F.Headers([
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ])
    headers.set('A', '4')
    return [...headers]
  },
  'set with one argument': (F) => new F.Headers().set('a'),
  'set with undefined': (F) => {
    const headers = new F.Headers()
    headers.set('a', undefined)
    return headers.get('a')
  },
  'set a bad value': (F) => new F.Headers().set('a', '\u0100'),
  'delete all of a name': (F) => {
    const headers = new F.Headers([
      ['a', '1'],
      ['A', '2'],
      ['b', '3'],
    ])
    headers.delete('A')
    return [...headers]
  },
  'delete what is not there': (F) => new F.Headers().delete('a'),
  'delete a bad name': (F) => new F.Headers().delete('a b'),
  'delete without argument': (F) => new F.Headers().delete(),
  'get without argument': (F) => new F.Headers().get(),
  'get undefined': (F) => new F.Headers({ undefined: '1' }).get(undefined),
  'get a bad name': (F) => new F.Headers().get('a b'),
  'get what is not there': (F) => new F.Headers().get('a'),
  'get in any case': (F) => new F.Headers({ 'X-Foo': '1' }).get('x-FOO'),
  'has in any case': (F) => new F.Headers({ 'X-Foo': '1' }).has('x-FOO'),
  'has not': (F) => new F.Headers({ 'X-Foo': '1' }).has('X-Bar'),
  'has a bad name': (F) => new F.Headers().has(''),
  'has without argument': (F) => new F.Headers().has(),
  'getSetCookie none': (F) => new F.Headers({ a: 'b' }).getSetCookie(),
  'getSetCookie several': (F) =>
    new F.Headers([
      ['Set-Cookie', 'a=1'],
      ['b', '2'],
      ['set-cookie', 'c=3'],
    ]).getSetCookie(),
  'set-cookie through get': (F) =>
    new F.Headers([
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'c=3'],
    ]).get('set-cookie'),
  'set-cookie stays separate and in order': (F) => [
    ...new F.Headers([
      ['z', '1'],
      ['set-cookie', 'b'],
      ['a', '2'],
      ['Set-Cookie', 'a'],
    ]),
  ],
  'set of set-cookie replaces all': (F) => {
    const headers = new F.Headers([
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ])
    headers.set('Set-Cookie', 'c')
    return headers.getSetCookie()
  },
  'sorted by name': (F) => [
    ...new F.Headers({ b: '1', 'a-b': '2', a: '3', _: '4', Z: '5' }).keys(),
  ],
  values: (F) => [...new F.Headers({ b: '1', a: '2' }).values()],
  entries: (F) => [...new F.Headers({ b: '1', a: '2' }).entries()],
  'forEach arguments': (F) => {
    const seen = []
    const headers = new F.Headers({ b: '1', a: '2' })
    headers.forEach(function (value, name, self) {
      seen.push(value, name, self === headers, this)
    }, 'this')
    return seen
  },
  'forEach without function': (F) => new F.Headers().forEach({}),
  'forEach without argument': (F) => new F.Headers().forEach(),
  'a field appended during iteration is seen': (F) => {
    const headers = new F.Headers({ a: '1', b: '2' })
    const seen = []
    for (const [name] of headers) {
      seen.push(name)
      if (name === 'b') headers.append('c', '3')
    }
    return seen
  },
  'a field deleted during iteration is not seen': (F) => {
    const headers = new F.Headers({ a: '1', b: '2', c: '3' })
    const seen = []
    for (const [name] of headers) {
      seen.push(name)
      headers.delete('b')
    }
    return seen
  },
  'a field put before the present one repeats it': (F) => {
    const headers = new F.Headers({ b: '2', c: '3' })
    const seen = []
    for (const [name] of headers) {
      seen.push(name)
      headers.set('a', '1')
    }
    return seen
  },
  'iterator goes on after a break': (F) => {
    const iterator = new F.Headers({ a: '1', b: '2' }).keys()
    for (const name of iterator) if (name === 'a') break
    return [...iterator]
  },
  'iterator result': (F) => {
    const iterator = new F.Headers({ a: '1' }).entries()
    return [iterator.next(), iterator.next()]
  },
  'iterator tag': (F) => String(new F.Headers().entries()),
  'iterator prototype': (F) =>
    Object.getPrototypeOf(Object.getPrototypeOf(new F.Headers().keys())) ===
    Object.getPrototypeOf(Object.getPrototypeOf([].values())),
  'iterator is iterable itself': (F) => {
    const iterator = new F.Headers().keys()
    return iterator[Symbol.iterator]() === iterator
  },
  'a changed pair does not change the headers': (F) => {
    const headers = new F.Headers({ a: '1' })
    for (const pair of headers) pair[1] = '2'
    return [...headers]
  },
  'entries is the iterator function': (F) =>
    F.Headers.prototype.entries === F.Headers.prototype[Symbol.iterator],
  'wrong receiver of get': (F) => F.Headers.prototype.get.call({}, 'a'),
  'wrong receiver of entries': (F) => F.Headers.prototype.entries.call({}),
  'wrong receiver of append': (F) => F.Headers.prototype.append.call(null, 'a', 'b'),
  tag: (F) => String(new F.Headers()),
  'call without new': (F) => F.Headers(),
  lengths: (F) =>
    ['append', 'delete', 'get', 'has', 'set', 'getSetCookie', 'forEach', 'keys'].map(
      (name) => F.Headers.prototype[name].length,
    ),
  'constructor length': (F) => F.Headers.length,
  'enumerable members': (F) => {
    const names = []
    for (const name in F.Headers.prototype) names.push(name)
    return names.sort()
  },
}

const REQUEST_CASES = {
  'the class has no parent': (F) => Object.getPrototypeOf(F.Request) === Function.prototype,
  'no argument': (F) => new F.Request(),
  'relative URL': (F) => new F.Request('/a'),
  'bad URL': (F) => new F.Request('http://:0'),
  'URL is normalised': (F) => new F.Request('HTTP://EXAMPLE.com:80/a/../b c?d e#f g').url,
  'URL object': (F) => new F.Request(new URL('http://a/b')).url,
  'object with toString': (F) => new F.Request({ toString: () => URL_A }).url,
  'URL with user': (F) => new F.Request('http://user@example.com/'),
  'URL with password': (F) => new F.Request('http://:pass@example.com/'),
  'other scheme': (F) => new F.Request('data:text/plain,a').url,
  'blob scheme': (F) => new F.Request('about:blank').url,
  defaults: (F) => {
    const request = new F.Request(URL_A)
    const { method, url, destination, referrer, referrerPolicy, mode, credentials, cache } = request
    const { redirect, integrity, keepalive, duplex, body, bodyUsed } = request
    const { isReloadNavigation, isHistoryNavigation } = request
    return [
      ...[method, url, destination, referrer, referrerPolicy, mode, credentials, cache, redirect],
      ...[integrity, keepalive, duplex, body, bodyUsed, isReloadNavigation, isHistoryNavigation],
    ]
  },
  'init null': (F) => new F.Request(URL_A, null).method,
  'init number': (F) => new F.Request(URL_A, 5),
  'init string': (F) => new F.Request(URL_A, 'a'),
  'init function': (F) => new F.Request(URL_A, () => {}).method,
  'integrity undefined': (F) => new F.Request(URL_A, { integrity: undefined }).integrity,
  'keepalive truthy': (F) => new F.Request(URL_A, { keepalive: 'yes' }).keepalive,
  'referrer empty': (F) => new F.Request(URL_A, { referrer: '' }).referrer,
  'referrer about:client': (F) => new F.Request(URL_A, { referrer: 'about:client' }).referrer,
  'referrer URL': (F) => new F.Request(URL_A, { referrer: 'http://b/x' }).referrer,
  'referrer relative': (F) => new F.Request(URL_A, { referrer: '/x' }),
  'window null': (F) => new F.Request(URL_A, { window: null }).method,
  'window undefined': (F) => new F.Request(URL_A, { window: undefined }).method,
  'window number': (F) => new F.Request(URL_A, { window: 5 }),
  'mode navigate': (F) => new F.Request(URL_A, { mode: 'navigate' }),
  'mode unknown': (F) => new F.Request(URL_A, { mode: 'x' }),
  'no-cors with PUT': (F) => new F.Request(URL_A, { mode: 'no-cors', method: 'PUT' }),
  'no-cors with POST': (F) => new F.Request(URL_A, { mode: 'no-cors', method: 'POST' }).mode,
  'only-if-cached needs same-origin': (F) => new F.Request(URL_A, { cache: 'only-if-cached' }),
  'only-if-cached with same-origin': (F) =>
    new F.Request(URL_A, { cache: 'only-if-cached', mode: 'same-origin' }).cache,
  'method symbol': (F) => new F.Request(URL_A, { method: Symbol('a') }),
  'method empty': (F) => new F.Request(URL_A, { method: '' }),
  'method with a space': (F) => new F.Request(URL_A, { method: 'GET ' }),
  'method null': (F) => new F.Request(URL_A, { method: null }).method,
  'method undefined': (F) => new F.Request(URL_A, { method: undefined }).method,
  'headers as record': (F) => [...new F.Request(URL_A, { headers: { A: 'b' } }).headers],
  'headers null': (F) => new F.Request(URL_A, { headers: null }),
  'headers are the same object': (F) => {
    const request = new F.Request(URL_A)
    return same(request, 'headers')
  },
  'headers can be changed': (F) => {
    const request = new F.Request(URL_A)
    request.headers.set('a', 'b')
    return request.headers.get('a')
  },
  'forbidden header names are kept, as on servers': (F) => [
    ...new F.Request(URL_A, { headers: { host: 'a', cookie: 'b' } }).headers,
  ],
  'signal is a signal': (F) => new F.Request(URL_A).signal instanceof AbortSignal,
  'signal is the same object': (F) => {
    const request = new F.Request(URL_A)
    return same(request, 'signal')
  },
  'signal null': (F) => new F.Request(URL_A, { signal: null }).signal.aborted,
  'signal undefined': (F) => new F.Request(URL_A, { signal: undefined }).signal.aborted,
  'signal object': (F) => new F.Request(URL_A, { signal: {} }),
  'signal string': (F) => new F.Request(URL_A, { signal: 'a' }),
  'signal aborted before': (F) => {
    const { signal } = new F.Request(URL_A, { signal: AbortSignal.abort('why') })
    return [signal.aborted, signal.reason]
  },
  'signal follows': (F) => {
    const controller = new AbortController()
    const request = new F.Request(URL_A, { signal: controller.signal })
    const before = request.signal.aborted
    controller.abort('why')
    return [
      before,
      request.signal.aborted,
      request.signal.reason,
      request.signal === controller.signal,
    ]
  },
  'signal follows through a copy and a clone': (F) => {
    const controller = new AbortController()
    const first = new F.Request(URL_A, { signal: controller.signal })
    const second = new F.Request(first)
    const third = second.clone()
    const fourth = new F.Request(third, { signal: null })
    controller.abort('why')
    return [second.signal.reason, third.signal.reason, fourth.signal.aborted]
  },
  'GET with body': (F) => new F.Request(URL_A, { body: 'a' }),
  'HEAD with body': (F) => new F.Request(URL_A, { method: 'head', body: 'a' }),
  'GET with empty body': (F) => new F.Request(URL_A, { body: '' }),
  'GET with null body': (F) => new F.Request(URL_A, { body: null }).body,
  'GET with undefined body': (F) => new F.Request(URL_A, { body: undefined }).body,
  'POST without body': async (F) => {
    const request = new F.Request(URL_A, { method: 'POST' })
    return [request.body, await request.text(), request.bodyUsed]
  },
  'stream without duplex': (F) => post(F, streamOfText('a')),
  'stream with duplex': (F) => post(F, streamOfText('abc'), { duplex: 'half' }).text(),
  'stream with unknown duplex': (F) => post(F, streamOfText('a'), { duplex: 'full' }),
  'duplex unknown without stream': (F) => new F.Request(URL_A, { duplex: 'full' }),
  'stream with keepalive': (F) => post(F, streamOfText('a'), { duplex: 'half', keepalive: true }),
  'locked stream': (F) => {
    const stream = streamOfText('a')
    stream.getReader()
    return post(F, stream, { duplex: 'half' })
  },
  'content-type of text': (F) => post(F, 'a').headers.get('content-type'),
  'content-type given': (F) =>
    post(F, 'a', { headers: { 'Content-Type': 'a/b' } }).headers.get('content-type'),
  'content-type of form data': (F) =>
    post(F, new FormData())
      .headers.get('content-type')
      .replace(/boundary=.*/, 'boundary'),
  'content-type of bytes': (F) => post(F, bytes(1)).headers.get('content-type'),
  'request from request': async (F) => {
    const first = post(F, 'body', { headers: { a: 'b' }, redirect: 'manual' })
    const second = new F.Request(first)
    return [
      ...[second.method, second.url, second.headers.get('a'), second.redirect, first.bodyUsed],
      ...[second.bodyUsed, await second.text(), first.headers === second.headers],
    ]
  },
  'request from request with an own body': async (F) => {
    const first = post(F, 'body')
    const second = new F.Request(first, { body: 'other' })
    return [await second.text(), first.bodyUsed, await first.text()]
  },
  'request from request as GET with body': (F) => new F.Request(post(F, 'a'), { method: 'GET' }),
  'request from request with null body': async (F) =>
    new F.Request(post(F, 'a'), { body: null }).text(),
  'request from a used request': async (F) => {
    const request = post(F, 'a')
    await request.text()
    return new F.Request(request)
  },
  'request from a used request with an own body': async (F) => {
    const request = post(F, 'a')
    await request.text()
    return new F.Request(request, { body: 'b' }).text()
  },
  'request from a locked request': (F) => {
    const request = post(F, 'a')
    request.body.getReader()
    return new F.Request(request)
  },
  'request from a stream request': async (F) =>
    new F.Request(post(F, streamOfText('abc'), { duplex: 'half' })).text(),
  'referrer of a copy stays': (F) =>
    new F.Request(new F.Request(URL_A, { referrer: 'http://b/' })).referrer,
  'referrer of a copy with an empty init stays': (F) =>
    new F.Request(new F.Request(URL_A, { referrer: 'http://b/', referrerPolicy: 'origin' }), {})
      .referrer,
  'referrer of a changed copy is gone': (F) => {
    const first = new F.Request(URL_A, { referrer: 'http://b/', referrerPolicy: 'origin' })
    const second = new F.Request(first, { method: 'POST' })
    return [second.referrer, second.referrerPolicy]
  },
  'request headers replaced': (F) => [
    ...new F.Request(new F.Request(URL_A, { headers: { a: '1' } }), { headers: { b: '2' } })
      .headers,
  ],
  'request headers of the model stay': (F) => {
    const first = new F.Request(URL_A, { headers: { a: '1' } })
    new F.Request(first).headers.set('a', '2')
    return first.headers.get('a')
  },
  'request as init': async (F) => {
    const request = new F.Request('http://b/c', post(F, 'body', { headers: { a: 'b' } }))
    return [request.url, request.method, request.headers.get('a'), await request.text()]
  },
  'clone has all': async (F) => {
    const first = post(F, 'body', { headers: { a: 'b' }, cache: 'no-store' })
    const second = first.clone()
    second.headers.set('a', 'c')
    return [
      ...[second.method, second.url, second.cache, first.headers.get('a'), second.headers.get('a')],
      ...[await first.text(), await second.text()],
    ]
  },
  'clone of used': async (F) => {
    const request = post(F, 'a')
    await request.text()
    return request.clone()
  },
  'clone of locked': (F) => {
    const request = post(F, 'a')
    request.body.getReader()
    return request.clone()
  },
  'wrong receiver of url': (F) => Reflect.get(F.Request.prototype, 'url', {}),
  'wrong receiver of mode': (F) => Reflect.get(F.Request.prototype, 'mode', {}),
  'wrong receiver of destination': (F) => Reflect.get(F.Request.prototype, 'destination', {}),
  'wrong receiver of text': (F) => F.Request.prototype.text.call({}),
  'getters have no setters': (F) => {
    const request = new F.Request(URL_A)
    request.method = 'POST'
    return request.method
  },
  tag: (F) => String(new F.Request(URL_A)),
  'call without new': (F) => F.Request(URL_A),
  length: (F) => F.Request.length,
  'own keys': (F) => Object.keys(new F.Request(URL_A)),
}
for (const method of [
  'get',
  'Get',
  'post',
  'put',
  'delete',
  'head',
  'options',
  'patch',
  'pAtCh',
  'foo',
]) {
  REQUEST_CASES[`method ${method}`] = (F) => new F.Request(URL_A, { method }).method
}
for (const method of ['CONNECT', 'trace', 'TrAcK', 'a/b', 'é']) {
  REQUEST_CASES[`method ${method}`] = (F) => new F.Request(URL_A, { method })
}
for (const [name, values] of Object.entries({
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'x'],
  credentials: ['omit', 'same-origin', 'include', 'x'],
  mode: ['same-origin', 'no-cors', 'cors'],
  redirect: ['follow', 'error', 'manual', 'x', null],
  referrerPolicy: ['', 'no-referrer', 'origin', 'unsafe-url', 'x'],
  integrity: ['abc', 5],
  keepalive: [true, 0],
})) {
  for (const value of values) {
    REQUEST_CASES[`${name} ${value}`] = (F) => new F.Request(URL_A, { [name]: value })[name]
  }
}

const RESPONSE_CASES = {
  'the class has no parent': (F) => Object.getPrototypeOf(F.Response) === Function.prototype,
  defaults: (F) => {
    const { type, url, redirected, status, ok, statusText, headers, body, bodyUsed } =
      new F.Response()
    return [type, url, redirected, status, ok, statusText, [...headers], body, bodyUsed]
  },
  'init null': (F) => new F.Response('a', null).status,
  'init number': (F) => new F.Response('a', 5),
  'init string': (F) => new F.Response('a', 'b'),
  'headers null': (F) => new F.Response('a', { headers: null }),
  'headers record': (F) => [...new F.Response('a', { headers: { B: 'c' } }).headers],
  'headers with a content-type': (F) => [
    ...new F.Response('a', { headers: { 'Content-Type': 'c/d' } }).headers,
  ],
  'headers whose value is content-type': (F) => [
    ...new F.Response('a', { headers: { vary: 'content-type' } }).headers,
  ],
  'headers as pairs': (F) => [
    ...new F.Response('a', {
      headers: [
        ['b', 'c'],
        ['b', 'd'],
      ],
    }).headers,
  ],
  'headers as pairs with a content-type': (F) => [
    ...new F.Response('a', { headers: [['content-type', 'c/d']] }).headers,
  ],
  'headers as Headers': (F) => [
    ...new F.Response('a', { headers: new F.Headers({ b: 'c' }) }).headers,
  ],
  'headers are copied': (F) => {
    const headers = new F.Headers({ b: 'c' })
    const response = new F.Response('a', { headers })
    headers.set('b', 'd')
    return response.headers.get('b')
  },
  'headers can be changed': (F) => {
    const response = new F.Response('a')
    response.headers.set('content-type', 'b/c')
    response.headers.append('set-cookie', 'd')
    return [...response.headers]
  },
  'headers are the same object': (F) => {
    const response = new F.Response('a')
    return same(response, 'headers')
  },
  'bad header name': (F) => new F.Response('a', { headers: { 'a b': 'c' } }),
  'bad header value': (F) => new F.Response('a', { headers: { a: 'b\r\nc: d' } }),
  'response as init': (F) => {
    const response = new F.Response(
      'a',
      new F.Response('b', { status: 201, statusText: 'x', headers: { c: 'd' } }),
    )
    return [response.status, response.statusText, [...response.headers]]
  },
  'statusText with latin1': (F) => new F.Response('', { statusText: 'caf\xe9\t!' }).statusText,
  'statusText with LF': (F) => new F.Response('', { statusText: 'a\n' }),
  'statusText above a byte': (F) => new F.Response('', { statusText: '\u0100' }),
  'statusText with DEL': (F) => new F.Response('', { statusText: '\x7f' }),
  'statusText number': (F) => new F.Response('', { statusText: 5 }).statusText,
  'error response': (F) => {
    const { type, status, ok, statusText, body, headers } = F.Response.error()
    return [type, status, ok, statusText, body, [...headers]]
  },
  'error headers are immutable': (F) => F.Response.error().headers.append('a', 'b'),
  'clone of an error keeps its headers immutable': (F) =>
    F.Response.error().clone().headers.set('a', 'b'),
  json: async (F) => {
    const response = F.Response.json({ a: [1, 'é'] })
    return [response.status, [...response.headers], await response.text()]
  },
  'json with status and headers': (F) => {
    const response = F.Response.json(1, { status: 201, headers: { a: 'b' }, statusText: 'x' })
    return [response.status, response.statusText, [...response.headers]]
  },
  'json with a content-type': (F) => [
    ...F.Response.json(1, { headers: { 'content-type': 'a/b' } }).headers,
  ],
  'json undefined': (F) => F.Response.json(undefined),
  'json function': (F) => F.Response.json(() => {}),
  'json without argument': (F) => F.Response.json(),
  'json cycle': (F) => {
    const cycle = {}
    cycle.cycle = cycle
    return F.Response.json(cycle)
  },
  'json bigint': (F) => F.Response.json(1n),
  'json with a throwing toJSON': (F) =>
    F.Response.json({
      toJSON() {
        throw new EvalError('mine')
      },
    }),
  'json with 204': (F) => F.Response.json(1, { status: 204 }),
  'json with a bad status': (F) => F.Response.json(1, { status: 99 }),
  'json null': (F) => F.Response.json(null).json(),
  redirect: (F) => {
    const response = F.Response.redirect('http://EXAMPLE.com/a b')
    return [response.status, response.headers.get('location'), response.body, response.type]
  },
  'redirect with an URL object': (F) =>
    F.Response.redirect(new URL(URL_A), 307).headers.get('location'),
  'redirect to a relative URL': (F) => F.Response.redirect('/a'),
  'redirect without argument': (F) => F.Response.redirect(),
  'redirect headers are immutable': (F) => F.Response.redirect(URL_A).headers.set('a', 'b'),
  'redirect status wraps as an unsigned short': (F) =>
    F.Response.redirect(URL_A, 65536 + 302).status,
  'read twice': async (F) => {
    const response = new F.Response('a')
    await response.text()
    return response.text()
  },
  'null body read twice': async (F) => {
    const response = new F.Response(null)
    return [await response.text(), response.bodyUsed, await response.text()]
  },
  'bodyUsed is set at once': (F) => {
    const response = new F.Response('a')
    response.text()
    return response.bodyUsed
  },
  'body after reading is locked and the same': async (F) => {
    const response = new F.Response('a')
    await response.text()
    return [response.body.locked, same(response, 'body'), response.bodyUsed]
  },
  'body is the same stream': (F) => {
    const response = new F.Response('a')
    return [same(response, 'body'), response.bodyUsed, response.body instanceof ReadableStream]
  },
  'body looked at is still readable': async (F) => {
    const response = new F.Response('abc')
    const { body } = response
    return [await response.text(), body.locked, response.bodyUsed]
  },
  'text while locked': (F) => {
    const response = new F.Response('a')
    response.body.getReader()
    return response.text()
  },
  'locked but unread is not used': (F) => {
    const response = new F.Response('a')
    response.body.getReader()
    return response.bodyUsed
  },
  'locked and released is readable': async (F) => {
    const response = new F.Response('abc')
    response.body.getReader().releaseLock()
    return response.text()
  },
  'partly read is used': async (F) => {
    const response = new F.Response('a')
    const reader = response.body.getReader()
    await reader.read()
    reader.releaseLock()
    return [
      response.bodyUsed,
      response.body.locked,
      await response.text().catch((error) => error.name),
    ]
  },
  'cancelled is used': async (F) => {
    const response = new F.Response('a')
    await response.body.cancel()
    return [response.bodyUsed, await response.text().catch((error) => error.name)]
  },
  'chunks of the stream': async (F) => {
    const chunks = []
    for await (const chunk of new F.Response('é').body)
      chunks.push([...chunk], chunk.constructor === Uint8Array)
    return chunks
  },
  'stream read with a buffer of mine': async (F) => {
    const reader = new F.Response('abc').body.getReader({ mode: 'byob' })
    const { value } = await reader.read(new Uint8Array(2))
    const next = await reader.read(new Uint8Array(2))
    const last = await reader.read(new Uint8Array(2))
    return [[...value], [...next.value], last.done]
  },
  'empty text stream': async (F) => (await new F.Response('').body.getReader().read()).done,
  'clone of a stream': async (F) => {
    const first = new F.Response(streamOfText('abc'))
    const second = first.clone()
    return [await second.text(), await first.text(), first.bodyUsed, second.bodyUsed]
  },
  'clone before and after body': async (F) => {
    const first = new F.Response('abc')
    first.body
    const second = first.clone()
    const third = second.clone()
    return [await first.text(), await second.text(), await third.text()]
  },
  'clone of null body': (F) => new F.Response(null, { status: 204 }).clone().body,
  'clone of form data': async (F) => {
    const form = new FormData()
    form.set('a', 'b')
    const first = new F.Response(form)
    const second = first.clone()
    return [(await first.formData()).get('a'), (await second.formData()).get('a')]
  },
  'clone of a blob': async (F) => {
    const first = new F.Response(new Blob(['abc'], { type: 'a/b' }))
    const second = first.clone()
    return [await first.text(), await second.text(), second.headers.get('content-type')]
  },
  'clone keeps status and headers': (F) => {
    const copy = new F.Response('a', { status: 201, statusText: 'x', headers: { b: 'c' } }).clone()
    return [copy.status, copy.statusText, [...copy.headers]]
  },
  'clone of used': async (F) => {
    const response = new F.Response('a')
    await response.text()
    return response.clone()
  },
  'clone of locked': (F) => {
    const response = new F.Response('a')
    response.body.getReader()
    return response.clone()
  },
  'clones have own bytes': async (F) => {
    const first = new F.Response(bytes(1, 2))
    const second = first.clone()
    const mine = await first.bytes()
    mine[0] = 9
    return [[...(await second.bytes())], [...mine]]
  },
  'response over the body of another': async (F) => {
    const first = new F.Response('abc')
    const second = new F.Response(first.body, { status: 201 })
    return [await second.text(), first.bodyUsed, second.headers.get('content-type')]
  },
  'response over a used body': async (F) => {
    const first = new F.Response('abc')
    await first.text()
    return new F.Response(first.body)
  },
  'response over a locked stream': (F) => {
    const { body } = new F.Response('abc')
    body.getReader()
    return new F.Response(body)
  },
  'async iterable': (F) =>
    new F.Response(
      (async function* () {
        yield bytes(97)
        yield bytes(98)
      })(),
    ).text(),
  'async iterable that throws': (F) =>
    new F.Response(
      (async function* () {
        yield bytes(97)
        throw new EvalError('mine')
      })(),
    ).text(),
  'stream that errors': (F) =>
    new F.Response(
      new ReadableStream({
        pull() {
          throw new EvalError('mine')
        },
      }),
    ).text(),
  'stream of strings': (F) =>
    new F.Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue('a')
          controller.close()
        },
      }),
    ).text(),
  'stream without chunks': (F) =>
    new F.Response(
      new ReadableStream({
        start(controller) {
          controller.close()
        },
      }),
    ).text(),
  'body symbol': (F) => new F.Response(Symbol('a')),
  'body as a sent buffer changes nothing': async (F) => {
    const mine = bytes(1, 2)
    const response = new F.Response(mine)
    mine[0] = 9
    return [...(await response.bytes())]
  },
  'text strips the byte order mark': (F) => new F.Response('\ufeffa\ufeff').text(),
  'text of bytes with a byte order mark': (F) => new F.Response(bytes(0xef, 0xbb, 0xbf, 97)).text(),
  'text of two byte order marks': (F) => new F.Response('\ufeff\ufeffa').text(),
  'text of invalid UTF-8': (F) => new F.Response(bytes(97, 0xff, 0xc3, 98, 0xe2, 0x82)).text(),
  'text of a UTF-16 mark': (F) => new F.Response(bytes(0xfe, 0xff, 0, 97)).text(),
  'text of lone surrogates': (F) => new F.Response('a\ud800b').text(),
  'bytes of lone surrogates': async (F) => [...(await new F.Response('\udc00').bytes())],
  'bytes keep the byte order mark': async (F) => [...(await new F.Response('\ufeffa').bytes())],
  'json of a broken text': (F) => new F.Response('{').json(),
  'json of nothing': (F) => new F.Response('').json(),
  'json of a null body': (F) => new F.Response().json(),
  'json with a byte order mark': (F) => new F.Response('\ufeff{"a":1}').json(),
  'json of bytes': (F) => new F.Response(new TextEncoder().encode('[1]')).json(),
  'arrayBuffer of a view': async (F) => {
    const buffer = await new F.Response(bytes(1, 2, 3).subarray(1)).arrayBuffer()
    return [buffer instanceof ArrayBuffer, buffer.byteLength, [...new Uint8Array(buffer)]]
  },
  'arrayBuffer of small text': async (F) => (await new F.Response('abc').arrayBuffer()).byteLength,
  'arrayBuffer of null': async (F) => (await new F.Response().arrayBuffer()).byteLength,
  'bytes of an array buffer': async (F) => [...(await new F.Response(bytes(1, 2).buffer).bytes())],
  'bytes of a data view': async (F) => [
    ...(await new F.Response(new DataView(bytes(1, 2, 3).buffer, 1)).bytes()),
  ],
  'bytes of wide elements': async (F) => [...(await new F.Response(Uint16Array.of(1, 2)).bytes())],
  'bytes are a plain array of their own': async (F) => {
    const result = await new F.Response(Buffer.from('abc')).bytes()
    return [result.constructor.name, result.byteLength, result.buffer.byteLength]
  },
  'blob type of text': async (F) => (await new F.Response('a').blob()).type,
  'blob type given': async (F) =>
    (await new F.Response('a', { headers: { 'content-type': 'A/B; C=D' } }).blob()).type,
  'blob type invalid': async (F) =>
    (await new F.Response('a', { headers: { 'content-type': 'x' } }).blob()).type,
  'blob type none': async (F) => {
    const blob = await new F.Response(bytes(1)).blob()
    return [blob.type, blob.size]
  },
  'formData of search parameters': async (F) => [
    ...(await new F.Response(new URLSearchParams('a=b c&a=é&d')).formData()),
  ],
  'formData of a form with a file': async (F) => {
    const form = new FormData()
    form.append('a', 'b\r\nc"')
    form.append('f', new File(['content'], 'näme.txt', { type: 'text/x' }))
    const parsed = await new F.Response(form).formData()
    const file = parsed.get('f')
    return [parsed.get('a'), file.name, file.type, await file.text()]
  },
  'formData of multipart bytes': async (F) => {
    const text = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    return [...(await new F.Response(text, { headers }).formData())]
  },
  'formData of broken multipart': (F) =>
    new F.Response('--y', {
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    }).formData(),
  'formData of text': (F) => new F.Response('a=b').formData(),
  'formData without type': (F) => new F.Response(bytes(1)).formData(),
  'formData marks as used': async (F) => {
    const response = new F.Response(new URLSearchParams('a=b'))
    await response.formData()
    return [response.bodyUsed, await response.text().catch((error) => error.name)]
  },
  'wrong receiver of status': (F) => Reflect.get(F.Response.prototype, 'status', {}),
  'wrong receiver of type': (F) => Reflect.get(F.Response.prototype, 'type', {}),
  'wrong receiver of url': (F) => Reflect.get(F.Response.prototype, 'url', {}),
  'wrong receiver of body': (F) => Reflect.get(F.Response.prototype, 'body', {}),
  'wrong receiver of json': (F) => F.Response.prototype.json.call({}),
  'wrong receiver of clone': (F) => F.Response.prototype.clone.call({}),
  'wrong receiver of bodyUsed': (F) => Reflect.get(F.Response.prototype, 'bodyUsed', {}),
  'getters have no setters': (F) => {
    const response = new F.Response('a')
    response.status = 500
    return response.status
  },
  tag: (F) => String(new F.Response()),
  'call without new': (F) => F.Response('a'),
  lengths: (F) => [
    F.Response.length,
    F.Response.json.length,
    F.Response.redirect.length,
    F.Response.error.length,
  ],
  'own keys': (F) => Object.keys(new F.Response('a')),
  'a subclass is an instance of both': (F) => {
    class Mine extends F.Response {}
    const mine = new Mine('a', { status: 201 })
    return [mine instanceof Mine, mine instanceof F.Response, mine.status]
  },
}
for (const status of [
  0, 99, 100, 101, 103, 199, 200, 299, 300, 404, 599, 600, 1000, 65736, -1, 200.9,
]) {
  RESPONSE_CASES[`status ${status}`] = (F) => {
    const response = new F.Response(null, { status })
    return [response.status, response.ok]
  }
}
for (const status of [
  '201',
  '',
  'x',
  null,
  undefined,
  Number.NaN,
  Infinity,
  {},
  true,
  10n,
  Symbol('a'),
]) {
  RESPONSE_CASES[`status ${typeof status} ${String(status)}`] = (F) =>
    new F.Response(null, { status }).status
}
for (const status of [204, 205, 304]) {
  RESPONSE_CASES[`body with ${status}`] = (F) => new F.Response('', { status })
  RESPONSE_CASES[`no body with ${status}`] = (F) => new F.Response(null, { status }).body
}
for (const status of [200, 300, 301, 302, 303, 304, 307, 308, 400]) {
  RESPONSE_CASES[`redirect with ${status}`] = (F) => F.Response.redirect(URL_A, status).status
}
for (const [name, body] of Object.entries({
  text: 'a',
  'empty text': '',
  number: 5,
  object: {},
  array: [1, 2],
  boolean: false,
  'search parameters': new URLSearchParams('a=b&c=d e'),
  blob: new Blob(['abc']),
  'typed blob': new Blob(['abc'], { type: 'Image/X' }),
  bytes: bytes(97, 98),
  buffer: Buffer.from('abc'),
  'array buffer': bytes(97).buffer,
  'URL object': new URL(URL_A),
})) {
  RESPONSE_CASES[`body ${name}`] = async (F) => {
    const response = new F.Response(body)
    return [response.headers.get('content-type'), await response.text(), response.bodyUsed]
  }
}

/** Where Node's answer is not the standard's: what ours is, and why. */
const DEVIATIONS = {
  'Headers: init function as a record': {
    ours: [['a', '1']],
    because: 'Node takes keys that are not enumerable',
  },
  'Headers: record with a hidden key': {
    ours: [],
    because: 'Node takes keys that are not enumerable',
  },
  'Headers: record with a hidden symbol key': {
    ours: [['a', '1']],
    because: 'Node takes keys that are not enumerable',
  },
  'Request: referrer of a copy stays': {
    ours: 'http://b/',
    because: 'Node 24 forgets it',
  },
  'Request: referrer of a copy with an empty init stays': {
    ours: 'http://b/',
    because: 'Node 24 forgets it',
  },
  'Response: text of two byte order marks': {
    ours: '\ufeffa',
    because: 'Node strips two, the standard one',
  },
  'Response: status bigint 10': {
    ours: 'throws TypeError',
    because: 'Web IDL converts no bigint, Node does',
  },
}

/** @returns {Promise<unknown>} the value, or the error's name */
async function outcome(run, classes) {
  try {
    return plain(await run(classes))
  } catch (error) {
    return `throws ${error?.name}`
  }
}

for (const [className, cases] of Object.entries({
  Headers: HEADERS_CASES,
  Request: REQUEST_CASES,
  Response: RESPONSE_CASES,
})) {
  for (const [name, run] of Object.entries(cases)) {
    const title = `${className}: ${name}`
    const deviation = DEVIATIONS[title]
    const suffix = deviation ? `is as the standard has it: ${deviation.because}` : 'is as in Node'
    test(`${title} ${suffix}`, async () => {
      const expected = deviation ? deviation.ours : await outcome(run, THEIRS)
      assert.deepEqual(await outcome(run, OURS), expected)
    })
  }
}

/** Instances say nothing here: a case that gives one wants to know that nothing was thrown. */
function plain(value) {
  if (value instanceof Headers || value instanceof Request || value instanceof Response)
    return 'object'
  return value
}
