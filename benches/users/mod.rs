//! Invented people as Feishu's contact v3 writes them, about 1.8 KB each, the same ones every time.

use std::fmt::Write as _;

const FAMILY: [&str; 8] = ["李", "王", "张", "刘", "陈", "欧阳", "Novak", "Silva"];
const GIVEN: [&str; 8] = ["伟", "秀英", "磊", "静", "晓明", "雨桐", "Jana", "João"];
const CITIES: [&str; 5] = ["上海", "北京", "深圳", "", "Singapore"];
const TITLES: [&str; 5] = ["工程师", " 高级工程师 ", "", "HRBP", "Product Manager"];

/// A small generator of numbers (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap_or(0)]
    }

    fn token(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            let part = self.roll(1 << 32);
            write!(text, "{part:08x}").unwrap_or_default();
        }
        text.truncate(digits);
        text
    }
}

/// So many people.
pub(super) fn users(count: usize) -> impl Iterator<Item = String> {
    let mut dice = Dice(0x2545_F491_4F6C_DD1D);
    (0..count).map(move |number| user(number, &mut dice))
}

fn user(number: usize, dice: &mut Dice) -> String {
    let departments: Vec<String> =
        (0..=dice.roll(3)).map(|_| format!("od-{}", dice.token(32))).collect();
    let (image, join) = (dice.token(24), 1_300_000_000 + dice.roll(450_000_000));
    let fields = [
        format!(
            r#""union_id":"on_{}","user_id":"u{number:07}","open_id":"ou_{}""#,
            dice.token(32),
            dice.token(32)
        ),
        format!(
            r#""name":" {}{} {number}","en_name":"{}","nickname":"n\"{}\"""#,
            dice.pick(&FAMILY),
            dice.pick(&GIVEN),
            english(number, dice),
            dice.token(6)
        ),
        format!(
            r#""email":"user.{number}@mail.example.com","enterprise_email":"{}""#,
            mail(number, dice)
        ),
        format!(r#""mobile":"{}","mobile_visible":true,"gender":{}"#, mobile(dice), dice.roll(4)),
        avatar(&image),
        status(dice),
        format!(
            r#""department_ids":["{}"],"leader_user_id":{}"#,
            departments.join("\",\""),
            leader(dice)
        ),
        format!(
            r#""city":"{}","country":"CN","work_station":"F{}-{}""#,
            dice.pick(&CITIES),
            dice.roll(30),
            dice.roll(200)
        ),
        format!(
            r#""join_time":{},"is_tenant_manager":false,"employee_no":" e{number:06} ","employee_type":{}"#,
            if dice.roll(10) == 0 { 0 } else { join },
            dice.roll(7)
        ),
        orders(&departments, dice),
        custom(number, dice),
        format!(
            r#""job_title":"{}","is_frozen":false,"geo":"cn","subscription_ids":["{}"]"#,
            dice.pick(&TITLES),
            dice.token(16)
        ),
    ];
    format!("{{{}}}", fields.join(","))
}

fn english(number: usize, dice: &mut Dice) -> String {
    if dice.roll(3) == 0 { String::new() } else { format!("Person {number} ") }
}

fn mail(number: usize, dice: &mut Dice) -> String {
    if dice.roll(3) == 0 { String::new() } else { format!(" Person.{number}@Corp.Example.COM ") }
}

/// Mostly Chinese mobiles in the spellings that occur, one in forty from elsewhere.
fn mobile(dice: &mut Dice) -> String {
    match dice.roll(40) {
        0 => format!("+65 8{:03} {:04}", dice.roll(1000), dice.roll(10_000)),
        1..=3 => String::new(),
        4..=8 => format!("138 {:04} {:04}", dice.roll(10_000), dice.roll(10_000)),
        9..=15 => format!("138{:08}", dice.roll(100_000_000)),
        _ => format!("+86138{:08}", dice.roll(100_000_000)),
    }
}

fn leader(dice: &mut Dice) -> String {
    match dice.roll(8) {
        0 => "null".to_owned(),
        1 => "\"\"".to_owned(),
        _ => format!("\"u{:07}\"", dice.roll(10_000)),
    }
}

fn avatar(image: &str) -> String {
    let sizes = ["avatar_72", "avatar_240", "avatar_640", "avatar_origin"];
    let urls =
        sizes.map(|size| format!(r#""{size}":"https://img.example.com/v1/{image}~{size}.png""#));
    format!(r#""avatar":{{{}}}"#, urls.join(","))
}

fn status(dice: &mut Dice) -> String {
    let state = dice.roll(40);
    format!(
        r#""status":{{"is_frozen":{},"is_resigned":{},"is_activated":{},"is_exited":{},"is_unjoin":{}}}"#,
        state == 0,
        state == 1,
        state != 2,
        state == 3,
        state == 4
    )
}

/// One in three tenants flags the main department, the others only order them.
fn orders(departments: &[String], dice: &mut Dice) -> String {
    let flagged = if dice.roll(3) == 0 { dice.roll(departments.len() as u64) } else { u64::MAX };
    let orders = departments.iter().zip(0_u64..).map(|(department, nth)| {
        let (user, order) = (dice.roll(1000), dice.roll(1000));
        format!(r#"{{"department_id":"{department}","user_order":{user},"department_order":{order},"is_primary_dept":{}}}"#, nth == flagged)
    });
    format!(r#""orders":[{}]"#, orders.collect::<Vec<_>>().join(","))
}

fn custom(number: usize, dice: &mut Dice) -> String {
    let text = format!(
        r#"{{"type":"TEXT","id":"C-1001","value":{{"text":"CC-{:04}","url":"","pc_url":""}}}}"#,
        dice.roll(500)
    );
    let link = format!(
        r#"{{"type":"HREF","id":"C-1002","value":{{"text":"profile","url":"https://people.example.com/{number}","pc_url":"https://people.example.com/pc/{number}"}}}}"#
    );
    let choice = format!(
        r#"{{"type":"ENUMERATION","id":"C-1003","value":{{"option_id":"op{}","option_value":"P{}"}}}}"#,
        dice.token(8),
        dice.roll(12)
    );
    let person = format!(
        r#"{{"type":"GENERIC_USER","id":"C-1004","value":{{"generic_user":{{"id":"{}","type":1}}}}}}"#,
        dice.token(8)
    );
    format!(r#""custom_attrs":[{text},{link},{choice},{person}]"#)
}
