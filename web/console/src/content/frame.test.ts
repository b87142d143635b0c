import { expect, test } from 'vitest'
import page from '../../public/letter.html?raw'
import { inScheme } from './Frame'

test('the frame of mails runs its own script and no other', async () => {
  const script = /<script>([\s\S]*?)<\/script>/.exec(page)![1]!
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script))
  expect(page).toContain(`script-src 'sha256-${btoa(String.fromCharCode(...new Uint8Array(sum)))}';`)
})

test('a mail is shown in the scheme that is asked for, whatever the screen has', () => {
  const mail = '<style>@media (prefers-color-scheme:dark) and (min-width: 10px){a{b:c}}</style>'
  expect(inScheme(mail, true)).toContain('@media (min-width:0) and (min-width: 10px)')
  expect(inScheme(mail, false)).toContain('@media (max-width:0) and (min-width: 10px)')
})
