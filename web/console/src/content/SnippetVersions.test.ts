import { describe, expect, it } from 'vitest'
import { gist } from './SnippetVersions'

describe('the gist of a version', () => {
  it('is what readers would read, without tags, addresses and colours', () => {
    const blocks = [
      { id: 'a', kind: 'text', text: '<b>Open</b> from nine', color: 'muted' },
      { id: 'b', kind: 'button', label: '地図を見る', url: 'https://a.example/map' },
      { id: 'c', kind: 'list', items: [{ title: '月曜' }, { title: '火曜' }] },
    ]
    expect(gist({ blocks: blocks as never })).toBe('Open from nine · 地図を見る · 月曜 · 火曜')
  })
  it('is short', () => expect(gist({ blocks: [{ text: 'x'.repeat(900) }] as never })).toHaveLength(160))
})
