package importer

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

// headings are what columns are called in the languages of the product, in the form of folded, by what they tell.
var headings = map[Target]map[string]string{
	ToIdentifier: {
		person.KindUser:      "userid user customerid customer customernumber customerno clientid memberid membernumber memberno id uid accountid externalid 客户编号 客户号 客户id 会员号 会员编号 会员id 用户id 用户编号 编号 顧客番号 顧客id 会員番号 会員id 会員no ユーザーid お客様番号 お客様id 顧客コード",
		person.KindEmail:     "email emailaddress mail mailaddress emails 邮箱 电子邮件 电子邮箱 邮件 邮箱地址 メール メールアドレス eメール emailアドレス 電子メール",
		person.KindPhone:     "phone phonenumber mobile mobilephone mobilenumber cell cellphone tel telephone telno 手机 手机号 手机号码 电话 电话号码 联系电话 電話 電話番号 携帯 携帯番号 携帯電話 携帯電話番号 tel番号",
		person.KindAnonymous: "anonymousid visitorid cookieid",
		"wechat_unionid":     "unionid wechatunionid 微信unionid",
		"wechat_openid":      "openid wechatopenid 微信openid",
		"line_user_id":       "lineuserid lineid ラインid",
		"whatsapp_id":        "whatsapp whatsappid",
	},
	ToTrait: {
		"name":       "name fullname customername contactname 姓名 名字 客户姓名 客户名称 会员姓名 氏名 名前 お名前 顧客名 会員名",
		"first_name": "firstname givenname forename 名 名前名 first",
		"last_name":  "lastname surname familyname 姓 苗字 last",
		"country":    "country countrycode 国家 国 国名",
		"city":       "city town 城市 市 市区町村 都市",
		"locale":     "locale language lang 语言 言語",
		"birthday":   "birthday birthdate dateofbirth dob 生日 出生日期 生年月日 誕生日",
		"gender":     "gender sex 性别 性別",
		"company":    "company companyname organization organisation 公司 公司名称 企业 会社 会社名 勤務先",
		"timezone":   "timezone tz 时区 タイムゾーン",
	},
	ToEvent: {"": "event eventname action activity 事件 事件名 事件名称 行为 イベント イベント名 行動"},
	ToTime:  {"": "timestamp time date datetime when orderdate ordertime orderedat orderat purchasedate purchasetime purchasedat transactiondate eventtime eventdate occurredat 时间 日期 发生时间 下单时间 下单日期 订单日期 订单时间 购买日期 购买时间 交易时间 日時 日付 注文日 注文日時 購入日 購入日時 発生日時"},
	ToProperty: {
		"order_id":   "orderid ordernumber orderno transactionid invoiceid invoiceno 订单号 订单编号 订单id 交易号 注文番号 注文id 注文no 受注番号 伝票番号",
		"total":      "total amount ordertotal totalprice revenue value sales dollarvalue 金额 总额 总金额 订单金额 实付金额 支付金额 消费金额 金額 合計 合計金額 注文金額 購入金額 売上 売上金額 支払金額",
		"currency":   "currency currencycode 币种 货币 通貨",
		"quantity":   "quantity qty numberofitems items 数量 件数 个数 個数 点数",
		"product_id": "productid sku productcode itemid 商品编号 商品id 商品编码 商品番号 商品コード 品番",
		"product":    "product productname item itemname 商品 商品名 商品名称 品名",
		"category":   "category productcategory 类别 分类 商品分类 カテゴリ カテゴリー 商品カテゴリ",
	},
	ToSubscription: {"": "newsletter subscribed subscription optin optedin marketing marketingconsent consent emailoptin acceptsmarketing 订阅 是否订阅 订阅邮件 接受营销 メルマガ メルマガ配信 配信 配信許可 配信希望 購読 dm希望"},
}

// updated are headings of the time at which a row about a person was true.
const updated = "updatedat lastupdated modifiedat lastmodified asof 更新时间 修改时间 最后更新 更新日 更新日時 最終更新日"

type meaning struct {
	to  Target
	key string
}

var meanings = func() map[string]meaning {
	out := map[string]meaning{}
	for to, keys := range headings {
		for key, names := range keys {
			for _, n := range strings.Fields(names) {
				out[n] = meaning{to, key}
			}
		}
	}
	return out
}()

// folded is a heading without what differs from file to file: case, width, blanks and signs.
func folded(heading string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, width.Fold.String(heading))
}

// keyOf makes the key of a trait or property of a heading: "Order Total (JPY)" becomes order_total_jpy.
func keyOf(heading string) string {
	words := strings.FieldsFunc(width.Fold.String(heading), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	key := strings.ToLower(strings.Join(words, "_"))
	if r := []rune(key); len(r) > maxKey {
		key = string(r[:maxKey])
	}
	return key
}

// guess makes a plan of what columns are called and of what stands in them.
func guess(columns []string, values [][]string, kinds []person.Kind, topics []consent.Topic) Plan {
	g := guesser{columns: columns, values: values, kinds: kinds, taken: map[meaning]bool{}}
	for _, t := range topics {
		if !t.Archived {
			g.topics = append(g.topics, t)
		}
	}
	g.named = slices.ContainsFunc(columns, func(c string) bool { return meanings[folded(c)].to != "" || strings.Contains(c, ".") })
	// A file is about what people did if it says so, or if it has times together with amounts or orders.
	has := map[Target]bool{}
	for _, c := range columns {
		m := meanings[folded(c)]
		has[m.to] = true
		if strings.HasPrefix(c, "properties.") {
			has[ToProperty] = true
		}
	}
	g.events = has[ToEvent] || has[ToTime] && has[ToProperty]
	if !g.named {
		return g.unnamed()
	}
	for i, name := range columns {
		g.column(i, name)
	}
	g.someone()
	if g.events && !g.taken[meaning{ToEvent, ""}] && (g.taken[meaning{ToProperty, "total"}] || g.taken[meaning{ToProperty, "order_id"}]) {
		g.plan.Event = event.OrderCompleted
	}
	if !g.plan.events() || !g.has(ToTime) {
		g.people()
	}
	return g.plan
}

type guesser struct {
	columns []string
	values  [][]string
	kinds   []person.Kind
	topics  []consent.Topic
	named   bool
	events  bool
	taken   map[meaning]bool
	plan    Plan
}

func (g *guesser) has(to Target) bool {
	return slices.ContainsFunc(g.plan.Columns, func(c Column) bool { return c.To == to })
}

func (g *guesser) add(c Column) bool {
	m := meaning{c.To, c.Key}
	if g.taken[m] || (c.To == ToTrait || c.To == ToProperty) && c.Key == "" {
		return false
	}
	g.taken[m] = true
	g.plan.Columns = append(g.plan.Columns, c)
	return true
}

func (g *guesser) column(i int, name string) {
	seen := g.values[i]
	switch parent, rest, _ := strings.Cut(name, "."); {
	case parent == "traits" && rest != "":
		if m := meanings[folded(rest)]; m.to == ToIdentifier && (m.key == person.KindEmail || m.key == person.KindPhone) && g.add(Column{Name: name, To: ToIdentifier, Key: m.key}) {
			return
		}
		g.add(Column{Name: name, To: ToTrait, Key: rest, Type: typeOf(seen)})
		return
	case parent == "properties" && rest != "":
		g.add(Column{Name: name, To: ToProperty, Key: rest, Type: typeOf(seen)})
		return
	case parent == "context" && rest != "", name == "messageId", name == "type" && g.events:
		return
	}
	m, known := meanings[folded(name)]
	switch {
	case !known && len(seen) > 0 && every(seen, isMail):
		m = meaning{ToIdentifier, person.KindEmail}
	case m.to == ToIdentifier && m.key == person.KindEmail && len(seen) > 0 && !some(seen, isMail):
		m.to = "" // "mail" may also be a yes or a no
	case m.to == ToTime && !g.events, m.to == ToTime && !isTime(seen):
		m = meaning{}
	case strings.Contains(" "+updated+" ", " "+folded(name)+" ") && !g.events && typeOf(seen).plain() == Time:
		m = meaning{to: ToTime}
	case m.to == ToSubscription && (len(g.topics) == 0 || !every(seen, func(s string) bool { _, ok := readTruth(s); return ok })):
		m = meaning{}
	}
	switch m.to {
	case ToIdentifier:
		if slices.ContainsFunc(g.kinds, func(k person.Kind) bool { return k.Name == m.key }) && g.add(Column{Name: name, To: ToIdentifier, Key: m.key}) {
			return
		}
	case ToTrait:
		if g.add(Column{Name: name, To: ToTrait, Key: m.key, Type: Text}) {
			return
		}
	case ToEvent:
		if g.add(Column{Name: name, To: ToEvent}) {
			return
		}
	case ToTime:
		if g.add(Column{Name: name, To: ToTime, Type: timeType(seen)}) {
			return
		}
	case ToProperty:
		t := typeOf(seen)
		if (m.key == "total" || m.key == "quantity") && mostly(seen, func(s string) bool { _, ok := readNumber(s); return ok }) {
			t = Number // what is not one is a row to be mended
		}
		if g.events && g.add(Column{Name: name, To: ToProperty, Key: m.key, Type: t}) {
			return
		}
	case ToSubscription:
		if g.add(Column{Name: name, To: ToSubscription, Key: g.topics[0].ID}) {
			return
		}
	}
	if len(seen) == 0 {
		return
	}
	to := ToTrait
	if g.events {
		to = ToProperty
	}
	key := keyOf(name)
	if strings.Contains(name, ".") {
		key = name
	}
	g.add(Column{Name: name, To: to, Key: key, Type: typeOf(seen)})
}

// someone takes the first column whose values are all different for who it is, if no column says.
func (g *guesser) someone() {
	if g.has(ToIdentifier) {
		return
	}
	for i, name := range g.columns {
		if len(g.values[i]) == 0 || len(distinct(g.values[i])) < len(g.values[i]) && i > 0 || typeOf(g.values[i]).plain() == Time {
			continue
		}
		g.plan.Columns = slices.DeleteFunc(g.plan.Columns, func(c Column) bool { return c.Name == name })
		g.add(Column{Name: name, To: ToIdentifier, Key: person.KindUser})
		return
	}
}

// people makes traits of what would have been properties.
func (g *guesser) people() {
	taken := map[string]bool{}
	for _, c := range g.plan.Columns {
		if c.To == ToTrait {
			taken[c.Key] = true
		}
	}
	g.plan.Columns = slices.DeleteFunc(g.plan.Columns, func(c Column) bool { return c.To == ToEvent || c.To == ToProperty && taken[c.Key] })
	for i, c := range g.plan.Columns {
		if c.To == ToProperty {
			g.plan.Columns[i].To = ToTrait
		}
	}
	g.plan.Event = ""
}

// unnamed makes a plan of values alone: the first column is who, the first with times when, the only one with fractions how much.
func (g *guesser) unnamed() Plan {
	var fractions []int
	when := -1
	for i, seen := range g.values {
		switch {
		case len(seen) == 0:
		case every(seen, isMail):
			g.add(Column{Name: g.columns[i], To: ToIdentifier, Key: person.KindEmail})
		case typeOf(seen).plain() == Time && when < 0:
			when = i
		case typeOf(seen) == Number && some(seen, func(s string) bool { return strings.Contains(s, ".") }):
			fractions = append(fractions, i)
		}
	}
	g.someone()
	if when >= 0 && len(fractions) == 1 {
		g.add(Column{Name: g.columns[when], To: ToTime, Type: typeOf(g.values[when])})
		g.add(Column{Name: g.columns[fractions[0]], To: ToProperty, Key: "total", Type: Number})
		g.plan.Event = event.OrderCompleted
	}
	return g.plan
}

// isTime reports whether values of a column that is called a time are such.
func isTime(values []string) bool {
	var m moments
	return typeOf(values).plain() == Time || mostly(values, func(s string) bool { _, ok := m.read(s, Time, nil); return ok })
}

// timeType is how the values of a time are written.
func timeType(values []string) Type {
	if t := typeOf(values); t.plain() == Time {
		return t
	}
	return Time
}

func isMail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-3 && strings.Contains(s[at:], ".") && !strings.ContainsAny(s, " ,;")
}

func every(values []string, ok func(string) bool) bool {
	return !slices.ContainsFunc(values, func(s string) bool { return !ok(s) })
}

func mostly(values []string, ok func(string) bool) bool {
	n := 0
	for _, v := range values {
		if ok(v) {
			n++
		}
	}
	return n > 0 && 2*n >= len(values)
}

func some(values []string, ok func(string) bool) bool { return slices.ContainsFunc(values, ok) }

func distinct(values []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

// typeOf says what values are. Digits that begin with a zero, and long ones, are names: a postal code is no number.
func typeOf(values []string) Type {
	number := func(s string) bool {
		_, ok := readNumber(s)
		digits := strings.TrimLeft(s, "-+")
		return ok && len(digits) < 16 && (!strings.HasPrefix(digits, "0") || digits == "0" || strings.HasPrefix(digits, "0.") || strings.HasPrefix(digits, "0,"))
	}
	moment := func(t Type) func(string) bool {
		var m moments
		return func(s string) bool { _, ok := m.read(s, t, nil); return ok && m.last != "" } // seconds since 1970 look like any number
	}
	truth := func(s string) bool { _, ok := readTruth(s); return ok }
	switch {
	case len(values) == 0:
		return Text
	case every(values, moment(Time)):
		return Time
	case every(values, number):
		return Number
	case every(values, moment(TimeDMY)):
		return TimeDMY
	case every(values, moment(TimeMDY)):
		return TimeMDY
	case every(values, truth):
		return Truth
	case every(values, func(s string) bool { return strings.HasPrefix(s, "[") || strings.HasPrefix(s, "{") }):
		return JSON
	}
	return Text
}
