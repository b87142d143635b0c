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
    '最近 30 天内没有下过单',
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
    'opened a message (email, bots included)',
    '打开消息（邮件，含机器）',
    'メッセージの開封（メール、ボットによるものも含む）があった',
  ],
  [{ segment: { id: 'seg_1', in: false } }, 'is not in the segment “VIP”', '不属于分群“VIP”', 'セグメント「VIP」に含まれていない'],
  [{ list: { id: 'lst_1' } }, 'is on the list “Fair”', '在名单“Fair”中', 'リスト「Fair」にある'],
  [
    { channel: { kind: 'email', subscribed: 'tpc_1', value: false } },
    'is not subscribed to “News” by email',
    '未通过邮件订阅“News”',
    'メールで「News」を購読していない',
  ],
  [{ device: { path: 'os', op: 'eq', value: 'iOS' } }, 'operating system is iOS', '操作系统为 iOS', 'OSがiOSである'],
  [
    { device: { path: 'last_seen', op: 'lt', value: { ago: { n: 1, unit: 'month' } } } },
    'last visit is before 1 month ago',
    '最近一次访问早于1 个月前',
    '最終アクセスが1か月前より前である',
  ],
  [
    { event: { name: 'Cart', window: { before: { n: 30, unit: 'day' } } } },
    'did “Cart” more than 30 days ago',
    '30 天以前做过“Cart”',
    '30日以上前に「Cart」をした',
  ],
  [
    { event: { name: 'Visit', op: 'eq', value: 0, window: { since: { name: 'Order Completed' } } } },
    'did not do “Visit” since they last did “Order Completed”',
    '自最近一次“Order Completed”以来没有做过“Visit”',
    '最後の「Order Completed」以降に「Visit」をしていない',
  ],
  [
    { event: { name: 'Visit', window: { since: { type: 'page', which: 'first', within: { n: 7, unit: 'day' } } } } },
    'did “Visit” in the 7 days after they first did a page view',
    '首次浏览网页后 7 天内做过“Visit”',
    '最初のページの閲覧から7日以内に「Visit」をした',
  ],
  [
    { occurrence: { which: 'first', name: 'Buy', window: days(7), has: [{ path: 'city', op: 'eq', value: { trait: 'city' } }] } },
    'did “Buy” for the first time in the last 7 days with city is the trait City',
    '最近 7 天内首次做“Buy”，且当时city为属性“城市”的值',
    '過去7日に初めて「Buy」をした（そのときcityが属性「都市」の値である）',
  ],
  [
    { occurrence: { which: 'last', name: 'Buy', window: { before: { n: 30, unit: 'day' } } } },
    'did “Buy” for the last time more than 30 days ago',
    '30 天以前最后一次做“Buy”',
    '30日以上前に最後の「Buy」をした',
  ],
  [
    {
      sequence: {
        steps: [
          { name: 'Cart' },
          { name: 'Pay', within: { n: 1, unit: 'hour' }, without: { name: 'Empty' } },
          { name: 'Rate', absent: true, within: { n: 7, unit: 'day' } },
        ],
        by: 'product_id',
        window: days(30),
      },
    },
    'did “Cart”, then “Pay” within 1 hour without “Empty” in between, and then did not do “Rate” within 7 days with the same product_id in the last 30 days',
    '最近 30 天内先做“Cart”，之后 1 小时内又做“Pay”（中间没有“Empty”），之后 7 天内没有做“Rate”（product_id相同）',
    '過去30日に「Cart」をし、その後1時間以内に「Pay」をした（間に「Empty」なし）、その後7日以内に「Rate」をしていない（product_idが同じ）',
  ],
  [
    { anniversary: { path: 'birthday', from: 0, to: 7, zone: 'Asia/Tokyo', own_zone: true } },
    'the anniversary of birthday falls between today and 7 days from now (the person’s time zone, else Japan Time)',
    'birthday的周年日在今天到7 天后之间到来（客户所在时区，未知则日本时间）',
    'birthdayの日が今日から7日後までの間に巡ってくる（顧客のタイムゾーン、不明なら日本標準時）',
  ],
  [
    { anniversary: { event: { name: 'Buy', which: 'first' }, from: 7, to: 7, zone: 'UTC' } },
    'the anniversary of when they first did “Buy” falls 7 days from now (UTC)',
    '首次“Buy”的周年日在7 天后到来（UTC）',
    '最初の「Buy」の記念日が7日後に巡ってくる（UTC）',
  ],
  [
    { trait: { path: 'used', op: 'gte', value: { trait: 'plan_limit' } } },
    'used at least the trait plan_limit',
    'used至少属性“plan_limit”的值',
    'usedが属性「plan_limit」の値以上',
  ],
  [
    { bucket: { salt: 'test', from: 0, to: 10 } },
    'is in the random share from 0% to 10% of “test”',
    '属于“test”的随机份额 0% 至 10%',
    '「test」のランダムな割合0%〜10%に含まれている',
  ],
  [{ everyone: {} }, 'everyone', '所有人', '全員'],
  [{ any: [] }, 'no one', '没有人', '誰もいない'],
  [
    {
      all: [
        { list: { id: 'lst_1' } },
        { any: [{ segment: { id: 'seg_1' } }, { not: { device: { path: 'os', op: 'eq', value: 'iOS' } } }] },
      ],
    },
    'is on the list “Fair” and (is in the segment “VIP” or not: operating system is iOS)',
    '在名单“Fair”中，并且（属于分群“VIP”，或不满足：操作系统为 iOS）',
    'リスト「Fair」にある、かつ（セグメント「VIP」に含まれている、または「OSがiOSである」ではない）',
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
  for (const kind of [
    'trait',
    'event',
    'occurrence',
    'sequence',
    'anniversary',
    'order',
    'device',
    'channel',
    'engagement',
    'segment',
    'list',
    'bucket',
    'newer',
  ])
    expect(ruleText({ [kind]: {} })).not.toMatch(/undefined|\{|rule\./)
})
