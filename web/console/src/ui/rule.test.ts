import { expect, test } from 'vitest'
import { speak } from '@/i18n'
import en from '@/i18n/en.json'
import ja from '@/i18n/ja.json'
import zh from '@/i18n/zh-Hans.json'
import { type Rule, ruleText } from './rule'

const names = { seg_1: 'VIP', lst_1: 'Fair', tpc_1: 'News', cmp_1: 'Spring' }
const days = (n: number) => ({ within: { n, unit: 'day' } })

const cases: [Rule, string, string, string][] = [
  [{ trait: { path: 'plan', op: 'eq', value: 'pro' } }, 'plan is pro', 'plan为 pro', 'planがproである'],
  [
    { trait: { path: 'country', op: 'not_in', value: ['JP', 'FR'] } },
    'Country is none of JP and FR',
    '国家不是 JP和FR 中的任何一个',
    '国がJP、FRのいずれでもない',
  ],
  [{ trait: { path: 'age', op: 'between', value: [20, 30] } }, 'age from 20 to 30', 'age在 20 到 30 之间', 'ageが20から30までである'],
  [{ trait: { path: 'plan', op: 'not_exists' } }, 'plan is not known', 'plan未知', 'planが分かっていない'],
  [
    { trait: { path: 'trial_ends', op: 'lt', value: { ahead: { n: 7, unit: 'day' } } } },
    'trial_ends is before 7 days from now',
    'trial_ends早于7 天后',
    'trial_endsが7日後より前である',
  ],
  [{ event: { name: 'Order Completed' } }, 'did “Order Completed”', '做过“Order Completed”', '「Order Completed」をした'],
  [
    { event: { name: 'Order Completed', op: 'gte', value: 2, window: days(90) } },
    'did “Order Completed” at least 2 times in the last 90 days',
    '最近 90 天内做过“Order Completed”至少 2 次',
    '過去90日に「Order Completed」が2回以上',
  ],
  [
    { event: { name: 'Cart', op: 'eq', value: 0, window: days(1) } },
    'did not do “Cart” in the last 1 day',
    '最近 1 天内没有做过“Cart”',
    '過去1日に「Cart」をしていない',
  ],
  [
    { event: { name: 'Buy', agg: 'sum', path: 'total', op: 'gt', value: 100, filter: [{ path: 'shop', op: 'eq', value: 'Kyoto' }] } },
    'sum of total in “Buy” where shop is Kyoto more than 100',
    '“Buy”（shop为 Kyoto）的total 总和大于 100',
    '「Buy」（shopがKyotoである）のtotalの合計が100より多い',
  ],
  [
    {
      event: {
        type: 'page',
        op: 'gte',
        value: 3,
        window: { between: { from_ago: { n: 2, unit: 'week' }, to_ago: { n: 1, unit: 'week' } } },
      },
    },
    'did a page view at least 3 times between 2 weeks and 1 week ago',
    '2 周前到1 周前之间做过浏览网页至少 3 次',
    '2週間前から1週間前までにページの閲覧が3回以上',
  ],
  [{ order: { agg: 'sum', op: 'gte', value: 200 } }, 'order value at least 200', '订单总额至少 200', '注文総額が200以上'],
  [
    { order: { agg: 'days_since_last', op: 'gt', value: 30 } },
    'days since the last order more than 30 days',
    '距上次下单大于 30 天',
    '最終注文からの日数が30日より多い',
  ],
  [
    { order: { op: 'eq', value: 0, window: days(30) } },
    'never ordered in the last 30 days',
    '最近 30 天内没有下单',
    '過去30日に注文がない',
  ],
  [
    { engagement: { action: 'opened', source: { kind: 'campaign', id: 'cmp_1' }, topic: 'tpc_1', window: days(7) } },
    'opened a message (campaign, “Spring”, topic “News”) in the last 7 days',
    '最近 7 天内打开消息（营销活动，“Spring”，订阅主题“News”）',
    '過去7日にメッセージの開封（キャンペーン、「Spring」、トピック「News」）があった',
  ],
  [
    { engagement: { action: 'clicked', agg: 'distinct', op: 'gte', value: 3 } },
    'clicked in a message, at least 3 different messages',
    '点击消息中的链接，至少 3 封不同消息',
    'メッセージのクリックが3通以上',
  ],
  [
    { engagement: { action: 'opened', channel: 'email', machine: true } },
    'opened a message (Mail, machines too)',
    '打开消息（邮件，含机器）',
    'メッセージの開封（メール、機械によるものも含む）があった',
  ],
  [{ segment: { id: 'seg_1', in: false } }, 'is not in the segment “VIP”', '不属于分群“VIP”', 'セグメント「VIP」に入っていない'],
  [{ list: { id: 'lst_1' } }, 'is on the list “Fair”', '在名单“Fair”中', 'リスト「Fair」にある'],
  [
    { channel: { kind: 'email', subscribed: 'tpc_1', value: false } },
    'is not subscribed to “News” by Mail',
    '未通过邮件订阅“News”',
    'メールで「News」を購読していない',
  ],
  [{ device: { path: 'os', op: 'eq', value: 'iOS' } }, 'operating system is iOS', '操作系统为 iOS', 'OSがiOSである'],
  [
    { device: { path: 'last_seen', op: 'lt', value: { ago: { n: 1, unit: 'month' } } } },
    'last visit is before 1 month ago',
    '最近一次访问早于1 个月前',
    '最後の訪問が1か月前より前である',
  ],
  [
    { bucket: { salt: 'test', from: 0, to: 10 } },
    'is in the random share from 0 % to 10 % of “test”',
    '属于“test”的随机份额 0% 至 10%',
    '「test」のランダムな割合0%から10%に入っている',
  ],
  [{ everyone: {} }, 'everyone', '所有人', '全員'],
  [{ any: [] }, 'nobody', '没有人', '誰もいない'],
  [
    {
      all: [
        { list: { id: 'lst_1' } },
        { any: [{ segment: { id: 'seg_1' } }, { not: { device: { path: 'os', op: 'eq', value: 'iOS' } } }] },
      ],
    },
    'is on the list “Fair” and (is in the segment “VIP” or not: operating system is iOS)',
    '在名单“Fair”中，并且（属于分群“VIP” 或 不满足：操作系统为 iOS）',
    'リスト「Fair」にある、かつ（セグメント「VIP」に入っている、または「OSがiOSである」ではない）',
  ],
]

for (const [lang, texts, column] of [
  ['en', en, 1],
  ['zh-Hans', zh, 2],
  ['ja', ja, 3],
] as const)
  test(`every condition reads as a sentence in ${lang}`, async () => {
    await speak(lang, texts)
    for (const c of cases) expect(ruleText(c[0], names)).toBe(c[column])
  })

test('a half-written condition shows its gaps and breaks nothing', async () => {
  await speak('en', en)
  for (const kind of ['trait', 'event', 'order', 'device', 'channel', 'engagement', 'segment', 'list', 'bucket', 'newer'])
    expect(ruleText({ [kind]: {} })).not.toMatch(/undefined|\{|rule\./)
})
