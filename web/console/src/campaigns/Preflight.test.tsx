import { screen } from '@testing-library/react'
import { beforeAll, expect, test, vi } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import { show } from '../../test/show'
import { Preflight } from './Preflight'

// The client takes fetch as it is when it is loaded, so this comes before.
const server = vi.hoisted(() => {
  const answers: Record<string, unknown> = {}
  globalThis.fetch = async (r) =>
    new Response(JSON.stringify(answers[new URL((r as Request).url, 'http://x').pathname] ?? { items: [], next_cursor: '' }), {
      headers: { 'Content-Type': 'application/json' },
    })
  return answers
})

beforeAll(() => speak('en', en))

test('a draft whose audience or content is gone says which and how to mend it, and cannot be launched from there', async () => {
  server['/api/v1/session'] = { user: { id: 'usr_1', name: 'Mei' }, workspace: 'ws', role: 'marketer', permissions: ['campaigns.write'] }
  server['/api/v1/campaigns/cmp_1/preflight'] = {
    blocking: [
      { location: 'audience.include', code: 'segment.archived', message: 'archived', args: ['Regulars'] },
      { location: 'template', code: 'campaign.missing.template', message: 'gone', args: ['template', 'tpl_1'] },
    ],
    audience: 0,
    fallbacks: [],
  }
  const campaign = { id: 'cmp_1', status: 'draft', template: 'tpl_1' } as Parameters<typeof Preflight>[0]['campaign']
  await show(() => (
    <Preflight campaign={campaign}>
      <button type="button">Launch</button>
    </Preflight>
  ))
  await screen.findByText(en['preflight.blocked'])
  screen.getByText(en['error.segment.archived'].replace('{0}', 'Regulars'))
  screen.getByText(en['error.campaign.missing.template'].replace('{1}', 'tpl_1'))
  expect(screen.getByRole('link', { name: en['campaigns.edit'] }).getAttribute('href')).toBe('/campaigns/cmp_1/edit')
  expect(screen.queryByRole('button', { name: 'Launch' })).toBeNull()
  expect(screen.queryByText(en['preflight.included'])).toBeNull()
})
