// The client of /api/v1. Errors are problem+json: {code, field, detail}.
let current = null

export const session = () => current

export class ApiError extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? String(status))
    this.status = status
    this.code = body.code
    this.field = body.errors?.[0]?.location ?? body.field
  }
}

export async function api(method, path, body) {
  const headers = {}
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (current?.csrf) headers['X-CSRF-Token'] = current.csrf
  const res = await fetch('/api/v1' + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: 'same-origin' })
  const text = await res.text()
  let data = {}
  try { data = text ? JSON.parse(text) : {} } catch { data = { detail: text } }
  if (res.ok) return data
  if (res.status === 401 && current) {
    current = null
    window.dispatchEvent(new Event('signed-out'))
  }
  throw new ApiError(res.status, data)
}

export const get = (path) => api('GET', path)
export const post = (path, body = {}) => api('POST', path, body)

// start finds out whether this browser is signed in.
export async function start() {
  try { current = await get('/session') } catch { current = null }
}

export async function signIn(email, password) { current = await api('POST', '/session', { email, password }) }
export async function setUp(body) { current = await api('POST', '/setup', body) }
export const needsSetup = async () => (await get('/setup')).needed

export async function signOut() {
  try { await api('DELETE', '/session') } finally { current = null }
}

export const q = (params) => {
  const s = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== '' && v !== undefined && v !== null)).toString()
  return s ? '?' + s : ''
}
