//! `national_phone`: a phone number as it is dialled at home.

use phonenumber::country;

use super::phone;
use super::{Body, Env, Function, Outcome, take};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "national_phone",
    usage: "national_phone(number [, region]) -> text",
    about: "The digits that are dialled within `region` (by default the tenant's), for systems that know no country codes: eleven for a Chinese mobile. A number of another country stays in E.164. Reads what `phone` reads; what is no phone number gives `()`.",
    examples: [
        (r#"national_phone("+8613800138000")"#, r#""13800138000""#),
        (r#"national_phone("+14155552671")"#, r#""+14155552671""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

fn run<'a>(env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let region = phone::region("national_phone", env, take(args, 1))?;
    let number = phone::international("national_phone", take(args, 0), region)?;
    Ok(number.map_or(Value::Unit, |number| {
        Value::text(national(&number, region).unwrap_or_else(|| number.to_string()))
    }))
}

/// `None` when the number belongs elsewhere.
fn national(number: &str, region: country::Id) -> Option<String> {
    if region == country::Id::CN
        && let Some(rest) = number.strip_prefix("+86")
        && phone::is_chinese_mobile(rest)
    {
        return Some(rest.to_owned());
    }
    let parsed = phonenumber::parse(None, number).ok()?;
    if parsed.country().id() != Some(region) {
        return None;
    }
    let shown = parsed.format().mode(phonenumber::Mode::National).to_string();
    Some(shown.chars().filter(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use crate::mapping::testing::evaluate;

    #[test]
    fn what_is_dialled_at_home_reads_back_as_the_same_number() {
        for number in ["+8613800138000", "+862161234567", "+14155552671", "+6581234567"] {
            for region in ["CN", "US", "SG"] {
                let there = format!(r#"national_phone("{number}", "{region}")"#);
                let back = format!(r#"phone({there}, "{region}")"#);
                assert_eq!(evaluate(&back), Ok(number.into()), "{there}: {:?}", evaluate(&there));
            }
        }
        assert_eq!(evaluate(r#"national_phone("021-61234567")"#), Ok("02161234567".into()));
    }
}
