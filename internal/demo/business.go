// Package demo is a labelled sample business, "Aoba Tea (sample data)": people, visits, carts, orders and
// mails over ninety days, and visitors who go on coming while the demonstration runs.
//
// Owns: the generator and the simulated visitors. Does not own: any table. Everything it makes goes through the
// intake over HTTP as any client's events do, and its readers open and click the mails they find in the local
// mailbox with ordinary requests.
//
// The generator is pure: the same seed and the same end give the same events with the same message ids, so feeding it
// twice changes nothing.
package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Seed is the fixed seed of the sample.
const Seed = 20261122

// Days is how far back the sample reaches.
const Days = 90

type product struct {
	id, name, category string
	price              int // in JPY; other currencies are derived
}

var products = []product{
	{"tea-sencha", "Sencha of Uji", "green tea", 1800},
	{"tea-gyokuro", "Gyokuro, shade grown", "green tea", 4200},
	{"tea-matcha", "Matcha, ceremonial", "matcha", 3600},
	{"tea-matcha-kit", "Matcha starter kit", "matcha", 7800},
	{"tea-hojicha", "Hojicha, deep roast", "roasted tea", 1500},
	{"tea-longjing", "Longjing, first flush", "green tea", 5200},
	{"tea-tieguanyin", "Tieguanyin oolong", "oolong", 3900},
	{"tea-dahongpao", "Da Hong Pao", "oolong", 6800},
	{"tea-earlgrey", "Earl Grey, loose leaf", "black tea", 1600},
	{"tea-darjeeling", "Darjeeling, second flush", "black tea", 2900},
	{"pot-kyusu", "Kyusu teapot", "teaware", 5400},
	{"pot-gaiwan", "Porcelain gaiwan", "teaware", 2600},
}

type market struct {
	country, locale, zone, currency string
	cities                          []string
	family, given                   []string
	perYen                          float64 // price of one yen
	round                           float64 // smallest price step
	weight                          int
}

var markets = []market{
	{
		"JP", "ja-JP", "Asia/Tokyo", "JPY",
		[]string{"東京", "京都", "大阪", "福岡"},
		[]string{"佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村"},
		[]string{"陽菜", "蓮", "美咲", "大翔", "結衣", "悠真", "葵", "湊"},
		1, 10, 45,
	},
	{
		"CN", "zh-CN", "Asia/Shanghai", "CNY",
		[]string{"上海", "北京", "杭州", "成都"},
		[]string{"王", "李", "张", "刘", "陈", "杨", "黄", "赵"},
		[]string{"伟", "芳", "娜", "敏", "静", "磊", "洋", "婷"},
		0.048, 1, 30,
	},
	{
		"US", "en-US", "America/New_York", "USD",
		[]string{"New York", "Boston", "Seattle", "Austin"},
		[]string{"Miller", "Garcia", "Nguyen", "Brown", "Wilson", "Lee", "Clark", "Hall"},
		[]string{"Emma", "Noah", "Olivia", "Liam", "Ava", "Mason", "Mia", "Lucas"},
		0.0067, 0.5, 15,
	},
	{
		"GB", "en-GB", "Europe/London", "GBP",
		[]string{"London", "Leeds", "Bristol", "Edinburgh"},
		[]string{"Smith", "Jones", "Taylor", "Evans", "Walker", "Wright", "Green", "Hughes"},
		[]string{"Amelia", "Oliver", "Isla", "George", "Freya", "Harry", "Grace", "Jack"},
		0.0053, 0.5, 10,
	},
}

type device struct{ os, version, kind, model, platform string }

var devices = []device{
	{"iOS", "26.1", "mobile", "iPhone 17", "ios"},
	{"iOS", "25.4", "mobile", "iPhone 15", "ios"},
	{"Android", "16", "mobile", "Pixel 10", "android"},
	{"Android", "15", "mobile", "Mi 15", "android"},
	{"macOS", "26.0", "desktop", "Mac", "web"},
	{"Windows", "11", "desktop", "PC", "web"},
}

// customer is one sample person; everything about them follows from their number.
type customer struct {
	n         int
	market    *market
	device    device
	anonymous string
	user      string // empty: never signs up
	first     string
	last      string
	city      string
	favourite string // category
	loyalty   float64
	topics    []string // what they subscribe to at sign-up
	rng       *rand.Rand
	pictures  string // where those of products are
}

// Shop is what the sample depends on beside its seed.
type Shop struct {
	Topics   []string // that customers subscribe to
	Pictures string   // address of the folder that Pictures is served from, with a final slash
}

// newCustomer makes customer n of a shop. Three of four subscribe.
func newCustomer(n int, shop Shop) *customer {
	rng := rand.New(rand.NewPCG(Seed, uint64(n)))
	topics := shop.Topics
	c := &customer{n: n, rng: rng, loyalty: rng.Float64(), pictures: shop.Pictures}
	pick := rng.IntN(100)
	for i := range markets {
		if pick -= markets[i].weight; pick < 0 {
			c.market = &markets[i]
			break
		}
	}
	c.device = devices[rng.IntN(len(devices))]
	c.anonymous = fmt.Sprintf("demo-anon-%04d-%08x", n, rng.Uint32())
	if rng.Float64() < 0.82 {
		c.user = fmt.Sprintf("demo-user-%04d", n)
	}
	c.first, c.last = c.market.given[rng.IntN(8)], c.market.family[rng.IntN(8)]
	c.city = c.market.cities[rng.IntN(4)]
	c.favourite = products[rng.IntN(len(products))].category
	if rng.Float64() < 0.75 {
		c.topics = topics
	}
	return c
}

func (c *customer) email() string { return fmt.Sprintf("customer%04d@aoba-sample.example", c.n) }

func (c *customer) name() string {
	if c.market.country == "JP" || c.market.country == "CN" {
		return c.last + c.first
	}
	return c.first + " " + c.last
}

// birthday lies in the years of adults, more often around forty; it follows from the number, so that the random sequence of visits stays.
func (c *customer) birthday() string {
	year := 1960 + (c.n*37%23 + c.n*53%21)
	return fmt.Sprintf("%d-%02d-%02d", year, 1+c.n%12, 1+c.n*7%28)
}

func (c *customer) traits() map[string]any {
	return map[string]any{
		"name": c.name(), "first_name": c.first, "last_name": c.last, "email": c.email(),
		"country": c.market.country, "city": c.city, "locale": c.market.locale, "timezone": c.market.zone,
		"favourite_category": c.favourite, "birthday": c.birthday(), "sample_data": true,
	}
}

func (c *customer) context() map[string]any {
	return map[string]any{
		"locale": c.market.locale, "timezone": c.market.zone,
		"os":       map[string]any{"name": c.device.os, "version": c.device.version},
		"device":   map[string]any{"type": c.device.kind, "model": c.device.model},
		"platform": c.device.platform,
		"location": map[string]any{"country": c.market.country, "city": c.city},
		"library":  map[string]any{"name": "kizuna-demo", "version": "1"},
	}
}

func (c *customer) price(p product) float64 {
	m := c.market
	steps := int(float64(p.price)*m.perYen/m.round + 0.5)
	return float64(steps) * m.round
}

// choose picks a product, the favourite category four times out of five.
func (c *customer) choose() product {
	if c.rng.Float64() < 0.8 {
		start := c.rng.IntN(len(products))
		for i := range products {
			if p := products[(start+i)%len(products)]; p.category == c.favourite {
				return p
			}
		}
	}
	return products[c.rng.IntN(len(products))]
}

// visit is one session: what the visitor does, as events at moments from start on.
type visit struct {
	c      *customer
	at     time.Time
	known  bool // signed in by now
	emit   func(at time.Time, event map[string]any)
	bought func(at time.Time, order string, total float64)
}

func (v *visit) pause(minSec, maxSec int) {
	v.at = v.at.Add(time.Duration(minSec+v.c.rng.IntN(maxSec-minSec+1)) * time.Second)
}

func (v *visit) send(event map[string]any) {
	event["anonymousId"] = v.c.anonymous
	if v.known {
		event["userId"] = v.c.user
	}
	event["context"] = v.c.context()
	v.emit(v.at, event)
}

func (v *visit) page(path, title string) {
	v.send(map[string]any{"type": "page", "name": title, "properties": map[string]any{
		"path": path, "url": "https://aoba-sample.example" + path, "title": title,
	}})
	v.pause(5, 40)
}

func (v *visit) track(name string, properties map[string]any) {
	v.send(map[string]any{"type": "track", "event": name, "properties": properties})
	v.pause(5, 60)
}

func (v *visit) signUp() {
	v.known = true
	v.send(map[string]any{"type": "identify", "traits": v.c.traits()})
	v.track("Signed Up", map[string]any{"method": "email"})
	for _, topic := range v.c.topics {
		v.track("Subscribed", map[string]any{"topic": topic, "channel": "email", "evidence": "sign-up form"})
	}
}

func (v *visit) item(p product) map[string]any {
	return map[string]any{
		"product_id": p.id, "name": p.name, "category": p.category,
		"price": v.c.price(p), "currency": v.c.market.currency, "quantity": 1,
		"url": "https://aoba-sample.example/tea/" + p.id, "image_url": v.c.pictures + p.id + ".svg",
	}
}

// browse looks at some products and returns the last one.
func (v *visit) browse() product {
	v.page("/", "Home")
	var p product
	for range 1 + v.c.rng.IntN(4) {
		p = v.c.choose()
		v.page("/category/"+p.category, p.category)
		v.track("Product Viewed", v.item(p))
	}
	return p
}

func (v *visit) addToCart(p product) { v.track("Product Added", v.item(p)) }

func (v *visit) order(p product, number int) {
	total := v.c.price(p)
	lines := []any{v.item(p)}
	if v.c.rng.Float64() < 0.35 {
		q := v.c.choose()
		lines, total = append(lines, v.item(q)), total+v.c.price(q)
	}
	id := fmt.Sprintf("demo-order-%04d-%02d", v.c.n, number)
	v.track("Checkout Started", map[string]any{"order_id": id, "total": total, "currency": v.c.market.currency})
	at := v.at
	v.track("Order Completed", map[string]any{"order_id": id, "total": total, "currency": v.c.market.currency, "category": p.category, "products": lines})
	if v.bought != nil {
		v.bought(at, id, total)
	}
}
