package demo

import (
	"github.com/kizuna-cx/kizuna/internal/domain/journeymap"
	"github.com/kizuna-cx/kizuna/internal/domain/persona"
)

// Persona is the archetype of the sample business, who stands for the people of a segment.
func Persona(locale, segment string) persona.Draft {
	d, ok := personas[locale]
	if !ok {
		d = personas["en"]
	}
	d.Colour, d.AgeFrom, d.AgeTo, d.Segment = 3, 30, 39, segment
	d.Channels = []string{"email", "web", "word_of_mouth"}
	return d
}

var personas = map[string]persona.Draft{
	"en": {
		Name: "Keiko Mori (sample)", Role: "Nurse in Kyoto, shift work, lives alone",
		Quote: "Ten quiet minutes. That is all I ask of a tea.",
		Story: "Keiko comes home at six in the morning or at eleven at night. She does not want to study tea; she wants to know which one fits now, and to have it in the house before it runs out. " +
			"She compares teas on the train, reads what others wrote, and orders at her kitchen table.",
		Goals: []string{"a calm end of the shift", "never an empty tin", "to give something good without searching long"},
		Needs: []string{"to see at once which tea is for the evening", "small packs to try", "delivery that fits shift work"},
		Pains: []string{"shops that explain everything at length", "reminders at the wrong hour", "forgetting what she liked last time"},
		Words: []string{"a breather", "not too bitter", "for the evening", "the usual one"},
	},
	"zh-Hans": {
		Name: "林晓雯（示例）", Role: "杭州的护士，轮班，独居",
		Quote: "安静的十分钟，我对一杯茶就这点要求。",
		Story: "晓雯有时清晨六点到家，有时晚上十一点。她不想研究茶，只想知道此刻喝哪一种合适，并且在喝完之前家里就有。她在地铁上比较，看别人的评价，回到餐桌前下单。",
		Goals: []string{"下班后静一静", "茶罐不见底", "送礼省心又体面"},
		Needs: []string{"一眼看出哪款适合晚上喝", "可以试喝的小包装", "配合轮班的送货"},
		Pains: []string{"长篇大论的介绍", "不合时宜的提醒", "想不起上次喜欢的是哪款"},
		Words: []string{"喘口气", "不太苦", "晚上喝的", "老样子"},
	},
	"ja": {
		Name: "森 佳子（サンプル）", Role: "京都の看護師、交代勤務、一人暮らし",
		Quote: "静かな十分間。お茶に望むのはそれだけ。",
		Story: "帰宅は朝の六時だったり、夜の十一時だったり。お茶を学びたいわけではなく、いま合うのはどれかを知りたい。そして切らす前に家に届いていてほしい。電車の中で比べ、口コミを読み、台所のテーブルで注文する。",
		Goals: []string{"勤務のあとに落ち着くこと", "缶を空にしないこと", "探し回らずに良い贈り物をすること"},
		Needs: []string{"夜向きのお茶がすぐ分かること", "試せる小さな包み", "交代勤務に合う配達"},
		Pains: []string{"説明が長いお店", "間の悪いお知らせ", "前に気に入ったお茶を思い出せないこと"},
		Words: []string{"ひと息", "苦すぎない", "夜用の", "いつもの"},
	},
}

// Map is the way that the sample business imagines for a persona: the ready-made map of a first purchase, with the events of the sample.
func Map(locale, persona string) (journeymap.Draft, error) {
	r, err := journeymap.ReadyMap("first_purchase", locale)
	if err != nil {
		return r.Draft, err
	}
	d := r.Draft
	d.Persona = persona
	d.Name += map[string]string{"ja": "（サンプル）", "zh-Hans": "（示例）"}[locale]
	if locale == "en" || locale == "" {
		d.Name += " (sample)"
	}
	return d, nil
}
