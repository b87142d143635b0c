import { beforeAll, describe, expect, it } from 'vitest'
import { speak } from '@/i18n'
import ja from '@/i18n/ja.json'
import { about, happening } from './happening'

const names = { cmp_1: '春の新茶', tpc_1: 'News', jrn_1: 'Welcome' }

describe('what happened', () => {
  beforeAll(() => speak('ja', ja))

  it.each([
    [{ type: 'message', name: 'Message Sent' }, 'メッセージを送信'],
    [{ type: 'identify', name: '' }, '属性を受信'],
    [{ type: 'page', name: '' }, 'ページを閲覧'],
    [{ type: 'page', name: '抹茶' }, 'ページを閲覧'],
    [{ type: 'track', name: 'Message Sent' }, 'Message Sent'], // somebody else's event of the same name
    [{ type: 'standing', name: 'A name of later' }, 'A name of later'],
  ])('%o', (e, want) => expect(happening({ ...e, properties: {} })).toBe(want))

  it.each([
    [{ type: 'message', name: 'Message Refused', properties: { source_id: 'cmp_1', reason: 'not_subscribed' } }, '春の新茶 · 未購読'],
    [{ type: 'message', name: 'Message Sent', properties: { source_id: 'cmp_gone', subject: '新茶が届きました' } }, '新茶が届きました'],
    [{ type: 'consent', name: 'Topic Subscribed', properties: { topic: 'tpc_1' } }, 'News'],
    [{ type: 'journey', name: 'Journey Exited', properties: { journey_id: 'jrn_1', why: 'goal' } }, 'Welcome · 目標達成'],
    [{ type: 'track', name: 'Order Completed', properties: { total: 1800, currency: 'JPY' } }, '￥1,800'],
    [{ type: 'track', name: 'Order Completed', properties: { total: 18.5, currency: 'GBP' } }, '£18.50'],
    [{ type: 'track', name: 'Order Completed', properties: { total: '18', currency: 'yen' } }, ''],
    [{ type: 'page', name: '抹茶', properties: { title: '抹茶の部屋' } }, '抹茶'],
    [{ type: 'identify', name: '', properties: { email: 'a', city: '京都' } }, 'email、city'],
    [{ type: 'track', name: 'Odd', properties: null }, ''],
  ])('%o', (e, want) => expect(about(e, names)).toBe(want))
})
