// Data coming in on screen, as an office of each language has it: its encoding, its headings, its dates.
import assert from 'node:assert/strict'
import { api, catalogue, done, findings, fits, languages, laptop, noKeys, open, phone, server, settled, two, until, visit } from './lib.mjs'

// Files as spreadsheets of the three countries save them. The texts of the last two, once decoded:
//   会员编号,姓名,邮箱,消费金额,下单时间   and   会員番号<tab>氏名<tab>メールアドレス<tab>合計金額<tab>注文日時
const files = {
  en: (n) =>
    Buffer.from(
      `Customer ID;Name;Email;Amount;Order date\nimp-en-${n};Ann Example;ann-${n}@import.example;1,200.50;2024-05-06\nimp-en-${n};Ann Example;ann-${n}@import.example;80;2024-06-07\nimp-en-b-${n};Ben;not an address;5;2024-06-08\n`,
    ),
  'zh-Hans': (n) =>
    Buffer.concat([
      Buffer.from('bbe1d4b1b1e0bac52cd0d5c3fb2cd3cacfe42ccffbb7d1bdf0b6ee2ccfc2b5a5cab1bce40a', 'hex'),
      Buffer.from(`imp-zh-${n},`),
      Buffer.from('cdf5ceb0', 'hex'),
      Buffer.from(`,wang-${n}@import.example,99.5,2024-05-06 10:11\nimp-zh-b-${n},`),
      Buffer.from('c0eeb7bc', 'hex'),
      Buffer.from(`,li-${n}@import.example,`),
      Buffer.from('cede', 'hex'),
      Buffer.from(',2024-05-07\n'),
    ]),
  ja: (n) =>
    Buffer.concat([
      Buffer.from('89ef88f594d48d86098e8196bc098381815b838b83418368838c8358098d878c768be08a7a09928d95b693fa8e9e0a', 'hex'),
      Buffer.from(`imp-ja-${n}\t`),
      Buffer.from('8db293a1', 'hex'),
      Buffer.from(`\tsato-${n}@import.example\t1200\t2024/5/6 10:11\nimp-ja-b-${n}\t`),
      Buffer.from('97e996d8', 'hex'),
      Buffer.from(`\tsuzuki-${n}@import.example\t`),
      Buffer.from('957396be', 'hex'),
      Buffer.from('\t2024/5/7\n'),
    ]),
}
const facts = {
  en: { user: (n) => `imp-en-${n}`, name: 'Ann Example', encoding: 'utf-8', accepted: 2, revenue: 128050 },
  'zh-Hans': { user: (n) => `imp-zh-${n}`, name: '王伟', encoding: 'gb18030', accepted: 1, revenue: 9950 },
  ja: { user: (n) => `imp-ja-${n}`, name: '佐藤', encoding: 'shift_jis', accepted: 1, revenue: 1200 },
}

const shots = process.env.PICTURES
const picture = async (page, name) => {
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
}

async function bringIn(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const n = `${Date.now()}${size ? 'p' : ''}`
  const f = facts[lang]
  const check = async (what) => {
    await settled(page)
    await fits(page, what)
    await noKeys(page, what)
    assert.deepEqual(await findings(page), [], `${what} under axe`)
    await picture(page, `${what}-${lang}-${size ? 'phone' : 'laptop'}`)
  }
  await visit(page, '/people/import')
  await check('import-file')
  await page.locator('input[type=file]').setInputFiles({ name: `orders-${n}.csv`, mimeType: 'text/csv', buffer: files[lang](n) })

  // Its encoding and its columns were understood.
  await page.getByText(t['imports.layout'], { exact: true }).waitFor()
  await check('import-columns')
  await page.getByText(f.name, { exact: false }).first().waitFor()
  await page.getByLabel(t['imports.currency'], { exact: false }).fill({ en: 'EUR', 'zh-Hans': 'cny', ja: 'JPY' }[lang])
  await page.getByRole('button', { name: t['imports.look'], exact: true }).click()

  // What would become of it; nothing is written.
  await page.getByText(t['imports.nothing_written']).waitFor()
  await check('import-check')
  assert.equal((await api('GET', `/people?identifier=user_id:${f.user(n)}`)).items.length, 0, 'looking ahead writes nothing')
  await page
    .getByRole('button', { name: t[f.accepted === 1 && lang === 'en' ? 'imports.go_one' : 'imports.go_other'].replace('{n}', f.accepted) })
    .click()

  // It is a job, and stays in the address.
  await page.getByRole('heading', { name: t['imports.done'], exact: true }).waitFor()
  await check('import-done')
  const [found] = (await api('GET', `/people?identifier=user_id:${f.user(n)}`)).items
  assert.ok(found, 'the customer is there')
  const money = Object.entries(found.counters).find(([k]) => k.startsWith('revenue.'))
  assert.equal(money?.[1], f.revenue, 'with what they have spent')
  const job = new URL(page.url()).searchParams.get('job')
  const rejects = await page.evaluate(async (j) => (await fetch(`/api/v1/jobs/${j}/files/rejected`)).text(), job)
  assert.ok(rejects.includes({ en: 'why it was not taken', 'zh-Hans': '未导入的原因', ja: '取り込めなかった理由' }[lang]), rejects)
  await page.reload()
  await page.getByRole('heading', { name: t['imports.done'], exact: true }).waitFor()

  // The next file of this kind is known.
  await page.getByRole('button', { name: t['imports.again'] }).click()
  await page.locator('input[type=file]').setInputFiles({ name: 'next.csv', mimeType: 'text/csv', buffer: files[lang](`${n}x`) })
  await page.getByText(t['imports.mapping.found']).waitFor()
  await check('import-columns-known')
  await done(page)
}

/** What identity refused to join is listed with the way to the queue; what was chosen is kept for everybody, under a name, changed, removed and brought back. */
async function keptAndRefused() {
  const t = catalogue('en')
  const page = await open({ size: phone })
  const n = `${Date.now()}`
  const check = async (what) => {
    await settled(page)
    await fits(page, what)
    await noKeys(page, what)
    assert.deepEqual(await findings(page), [], `${what} under axe`)
    await picture(page, what)
  }
  const file = (name) => ({
    name,
    mimeType: 'text/csv',
    buffer: Buffer.from(`User ID,Email,Town ${n}\none-${n},both-${n}@import.example,Kobe\ntwo-${n},both-${n}@import.example,Nara\n`),
  })
  await visit(page, '/people/import')
  await page.locator('input[type=file]').setInputFiles(file(`couples-${n}.csv`))
  await page.getByText(t['imports.mapping.help']).waitFor()
  assert.equal(await page.getByLabel(t['imports.mapping.name']).inputValue(), `couples-${n}`)
  await page.getByRole('button', { name: t['imports.look'], exact: true }).click()
  await page.getByRole('button', { name: t['imports.go_other'].replace('{n}', '2') }).click()
  await page.getByText(t['imports.refused_one'].replace('{n}', '1')).waitFor()
  await page
    .getByRole('listitem')
    .filter({ hasText: `one-${n}` })
    .getByText(`two-${n}`)
    .waitFor()
  await check('import-refused')
  await page.getByRole('link', { name: t['imports.refused_all'] }).click()
  await page.getByText(t['duplicates.place'].replace('{n}', '1').replace('{total}', '1'), { exact: true }).waitFor()
  await page.getByRole('button', { name: `couples-${n}.csv` }).waitFor()
  await check('import-queue')

  await visit(page, '/people/import/mappings')
  await page.getByRole('link', { name: `couples-${n}` }).click()
  await page.getByLabel(t['imports.name_of'].replace('{column}', `Town ${n}`)).fill('home_town')
  await check('import-mapping')
  await page.getByRole('button', { name: t['action.save'], exact: true }).click()
  await page.getByText(t['imports.mapping.saved'], { exact: true }).waitFor()
  await page.getByRole('link', { name: `couples-${n}` }).click()
  assert.equal(await page.getByLabel(t['imports.name_of'].replace('{column}', `Town ${n}`)).inputValue(), 'home_town')
  await page.getByRole('button', { name: t['action.remove'], exact: true }).click()
  await page.getByText(t['imports.mapping.removed'].replace('{name}', `couples-${n}`)).waitFor()
  assert.ok(!(await api('GET', '/import-mappings')).items.some((m) => m.name === `couples-${n}`), 'it is gone')
  await page.getByRole('button', { name: t['action.undo'] }).click()
  await page.getByRole('link', { name: `couples-${n}` }).waitFor()
  await check('import-mappings')

  // Whoever imports the next one has it filled in.
  await visit(page, '/people/import')
  await page.locator('input[type=file]').setInputFiles(file('next.csv'))
  await page.getByText(t['imports.mapping.found']).waitFor()
  assert.equal(await page.getByLabel(t['imports.name_of'].replace('{column}', `Town ${n}`)).inputValue(), 'home_town')
  await done(page)
}

/** Whoever starts the demonstration in an empty folder signs in by what it printed, sees a business at work, and that it is a sample which goes in one action. */
async function firstSignIn() {
  const t = catalogue('en')
  const page = await open({ signedIn: false })
  await page.goto(`${server.url}/`)
  await page.locator('input[name=email]').fill(server.email)
  await page.locator('input[name=password]').fill(server.password)
  await page.locator('button[type=submit]').click()
  await page.locator('#main h1').waitFor()
  await visit(page, '/settings/workspace')
  await page.getByText(t['sample.present']).waitFor()
  assert.ok(await page.getByRole('button', { name: t['sample.remove'], exact: true }).isEnabled(), 'it can be removed where it is named')
  const sample = await api('GET', '/sample')
  assert.equal(sample.present, true)
  for (const path of ['/segments', '/journeys', '/campaigns', '/templates', '/personas', '/journey-maps'])
    assert.ok((await api('GET', `${path}?limit=1`)).items.length > 0, `the sample has something below ${path}`)
  assert.ok((await api('GET', '/stats')).people >= 100, 'and customers')
  const months = 60 * 86_400_000
  assert.ok((await api('GET', '/people?limit=200')).items.some((p) => Date.now() - Date.parse(p.first_seen) > months), 'with a past')
  await done(page)
}

/** A person made and changed by hand, with what goes wrong on the way. */
async function byHand(lang) {
  const t = catalogue(lang)
  const page = await open({ lang, size: lang === 'ja' ? phone : laptop })
  const button = (name) => page.getByRole('button', { name, exact: true })
  const input = (name) => page.getByRole('textbox', { name, exact: true })
  const mail = `walk-in-${lang}-${Date.now()}@hand.example`.toLowerCase()
  await visit(page, '/people')
  await button(t['people.new']).click()
  await button(t['action.create']).click()
  await page.getByText(t['people.new_nothing']).waitFor()
  await input(t['people.first_name']).fill('葵')
  await input(t['people.last_name']).fill('高橋')
  await input(t['field.email']).fill('no address')
  await button(t['action.create']).click()
  await page.getByText(t['trait_fault.email']).waitFor()
  await input(t['field.email']).fill('customer0002@aoba-sample.example')
  await button(t['action.create']).click()
  await page.getByRole('dialog').getByRole('alert').waitFor() // they are known already, and nothing that was written is lost
  assert.equal(await input(t['people.first_name']).inputValue(), '葵')
  await input(t['field.email']).fill(mail)
  await button(t['action.create']).click()
  await page.waitForURL('**/people/per_*')
  await page.getByText(t['event_name.identify'], { exact: true }).waitFor()
  await page.getByRole('tab', { name: t['person.tab.traits'], exact: true }).click()
  await button(t['action.edit']).click()
  await button(t['traits.add']).click()
  await page.getByRole('combobox', { name: t['field.name'], exact: true }).fill('first_name')
  await input(t['field.value']).fill('XL')
  await button(t['action.save']).click()
  await page.getByText(t['trait_fault.twice']).waitFor()
  await page.getByRole('combobox', { name: t['field.name'], exact: true }).fill('size')
  await input('first_name').fill('向日葵')
  await button(t['action.save']).click()
  await page.getByRole('heading', { name: '高橋向日葵', exact: true }).waitFor() // when the change is through the log
  const { traits } = await api('GET', `/people/${page.url().match(/per_[0-9A-Z]+/)[0]}`)
  assert.deepEqual([traits.email, traits.first_name, traits.size], [mail, '向日葵', 'XL'])
  assert.equal((await api('GET', `/people?q=${encodeURIComponent('高橋向日葵')}`)).items.length > 0, true, 'they are found by their whole name')
  await fits(page, `a person edited by hand, in ${lang}`)
  page.complaints = page.complaints.filter((c) => !/\b409\b/.test(c)) // of who was known already
  await done(page)
}

export const stories = Object.fromEntries([
  ['the first sign-in after the start in an empty folder shows a business at work, labelled as a sample', firstSignIn],
  ...two.map((lang) => [`import: a file of orders comes in, in ${lang}`, () => bringIn(lang, lang === 'ja' ? phone : undefined)]),
  ...two.map((lang) => [`somebody is added by hand and what is known of them put right, in ${lang}`, () => byHand(lang)]),
  ['import: what identity refused is listed, and a mapping is kept, changed, removed and brought back', keptAndRefused],
])

const jobsEnd = () => until('no job runs', async () => (await api('GET', '/jobs?active=true')).items.length === 0, 120)

/** The sample business goes in one action, what is the reader's own stays, and it can come back. */
async function sample(lang, size) {
  const t = catalogue(lang)
  const page = await open({ lang, size })
  const check = async (what) => {
    await settled(page)
    await fits(page, what)
    await noKeys(page, what)
    assert.deepEqual(await findings(page), [], `${what} under axe`)
    await picture(page, `${what}-${lang}-${size ? 'phone' : 'laptop'}`)
  }
  const { items: segments } = await api('GET', '/segments?limit=50')
  // What stays is the reader's from then on, so each language builds on another.
  const used = { en: 'Regulars', 'zh-Hans': 'Cart left today', ja: 'Here right now' }[lang]
  const regulars = segments.find((s) => s.name === used)
  const mine = await api('POST', '/segments', { name: `mine ${lang} ${Date.now()}`, rule: { segment: { id: regulars.id, in: true } } })
  const { items: journeys } = await api('GET', '/journeys?limit=50')
  assert.ok(journeys.length > 0, 'the sample has journeys')

  await visit(page, '/settings/workspace')
  await page.getByRole('button', { name: t['sample.remove'], exact: true }).click()
  const asked = page.getByRole('dialog')
  // What the reader has built on it is named first.
  await asked.getByText(t['sample.kept']).waitFor()
  const text = await asked.innerText()
  assert.ok(text.indexOf(used) < text.indexOf(t['sample.goes']) && text.includes(mine.name), text)
  await check('sample-ask')
  await asked.getByRole('button', { name: t['sample.remove_now'] }).click()
  await page.getByText(t['job_kind.sample_remove']).first().waitFor()
  await page.getByText(t['job_state.done'], { exact: true }).first().waitFor({ timeout: 120_000 })
  await jobsEnd() // "done" may be an earlier job's
  await check('sample-removed')
  assert.equal((await api('GET', '/sample')).present, false)
  for (const path of ['/journeys', '/campaigns', '/templates', '/personas', '/journey-maps'])
    assert.deepEqual((await api('GET', path)).items, [], `nothing of the sample is left below ${path}`)
  const left = (await api('GET', '/segments?limit=50')).items.map((s) => s.name)
  assert.ok(
    left.includes(used) && left.includes(mine.name) && !left.includes('Green tea on the phone in Japan'),
    `what is built on stays: ${left}`,
  )
  assert.equal((await api('GET', '/stats')).people, 0)

  // An empty workspace is offered some.
  await visit(page, '/')
  await page.getByRole('button', { name: t['sample.add'], exact: true }).waitFor()
  await check('sample-offer')
  await page.getByRole('button', { name: t['sample.add'], exact: true }).click()
  // A visitor of the business that went may still come in and go again: it is there once all of its people are.
  await until('all people of the business are there', async () => (await api('GET', '/stats')).people === 400, 120)
  await jobsEnd()
  assert.equal((await api('GET', '/stats')).people, 400)
  await api('DELETE', `/segments/${mine.id}`)
  // Screens that were open have asked for things that had just gone.
  page.complaints = page.complaints.filter((c) => !/\b404\b/.test(c))
  await done(page)
}

/** Told after all others. */
export const last = Object.fromEntries(
  languages.map((lang) => [`sample: it goes and comes back, in ${lang}`, () => sample(lang, lang === 'ja' ? phone : undefined)]),
)
