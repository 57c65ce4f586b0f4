//! Names of people who do not exist: a family name by its frequency, one or two given syllables, sometimes a name in
//! Latin letters.
//!
//! Not a source of names for anything but tests. The invariant: a name follows from the seed and the person alone.

use crate::dice::{Ask, Dice};
use crate::ids::PersonNo;

/// Family name and its weight; the compound ones stand last.
const SURNAMES: [&str; 72] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "林", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "韩", "冯", "邓", "曹", "彭", "曾",
    "萧", "田", "董", "潘", "袁", "蔡", "蒋", "余", "于", "杜", "叶", "程", "魏", "苏", "吕", "丁",
    "任", "卢", "姚", "沈", "钟", "姜", "崔", "谭", "陆", "范", "汪", "廖", "石", "金", "欧阳",
    "上官", "司马", "诸葛", "令狐", "皇甫", "慕容", "东方", "尉迟", "夏侯",
];
const COMPOUND_FROM: u32 = 62;

const GIVEN_MEN: [&str; 48] = [
    "伟", "强", "磊", "军", "洋", "勇", "杰", "涛", "明", "超", "刚", "平", "辉", "鹏", "华", "飞",
    "鑫", "波", "斌", "宇", "浩", "凯", "健", "俊", "帆", "龙", "博", "晨", "旭", "睿", "泽", "轩",
    "子", "文", "志", "建", "国", "嘉", "天", "宏", "永", "立", "航", "毅", "松", "岩", "昊", "霖",
];
const GIVEN_WOMEN: [&str; 48] = [
    "芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "玲", "燕", "婷", "雪", "慧", "莹", "倩", "琳",
    "颖", "洁", "欣", "怡", "梅", "萍", "红", "丹", "晶", "璐", "瑶", "蕾", "薇", "菲", "雨", "桐",
    "思", "佳", "梦", "诗", "语", "若", "晓", "小", "秀", "春", "玉", "悦", "宁", "彤", "岚", "馨",
];
const ENGLISH_MEN: [&str; 20] = [
    "Adrian", "Basil", "Cedric", "Dorian", "Elton", "Felix", "Gavin", "Hector", "Ivan", "Jasper",
    "Kelvin", "Leo", "Miles", "Nolan", "Otis", "Perry", "Quentin", "Rufus", "Silas", "Tobias",
];
const ENGLISH_WOMEN: [&str; 20] = [
    "Ada", "Bella", "Clara", "Daphne", "Edith", "Flora", "Greta", "Hazel", "Iris", "Juno", "Kira",
    "Luna", "Mabel", "Nora", "Opal", "Petra", "Quinn", "Rosa", "Stella", "Thea",
];
const NICKNAMES: [&str; 24] = [
    "逍遥", "清风", "扶摇", "青松", "朝歌", "无忌", "星河", "听雨", "长空", "暖阳", "知秋", "云起",
    "飞鸿", "墨白", "南风", "沧海", "小满", "谷雨", "追光", "归舟", "松果", "海棠", "半夏", "白露",
];

/// What a person is called; the pieces are to be joined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name {
    pub family: &'static str,
    pub given: [&'static str; 2],
    /// About one in four has one.
    pub english: Option<&'static str>,
    /// About one in eight has one, a 花名.
    pub nickname: Option<&'static str>,
}

impl Name {
    pub(crate) fn pieces(&self) -> [&'static str; 3] {
        [self.family, self.given[0], self.given[1]]
    }
}

/// The name of one person.
pub(crate) fn name(dice: Dice, person: PersonNo, woman: bool) -> Name {
    let roll = |ask| dice.roll(ask, u64::from(person.0), 0);
    let (given, english) =
        if woman { (&GIVEN_WOMEN, &ENGLISH_WOMEN) } else { (&GIVEN_MEN, &ENGLISH_MEN) };
    let first = roll(Ask::Given);
    let second = first.again();
    let two = second.again().one_in_million(780_000);
    let latin = roll(Ask::EnglishName);
    let nick = latin.again();
    Name {
        family: surname(roll(Ask::Surname)),
        given: [first.pick(given), if two { second.pick(given) } else { "" }],
        english: latin.one_in_million(250_000).then(|| latin.again().again().pick(english)),
        nickname: nick.one_in_million(125_000).then(|| nick.again().pick(&NICKNAMES)),
    }
}

/// Every twentieth family name is compound; of the others, the first ones are the frequent ones.
fn surname(roll: crate::dice::Roll) -> &'static str {
    let next = roll.again();
    if roll.one_in_million(50_000) {
        return next.pick(&SURNAMES[COMPOUND_FROM as usize..]);
    }
    let place = next.below(COMPOUND_FROM).min(next.again().below(COMPOUND_FROM));
    SURNAMES[place as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_vary_and_some_are_compound() {
        let dice = Dice::new(3);
        let names: Vec<Name> = (0..2_000).map(|n| name(dice, PersonNo(n), n % 2 == 0)).collect();
        let distinct: std::collections::HashSet<String> =
            names.iter().map(|name| name.pieces().concat()).collect();
        assert!(distinct.len() > 1_700, "{}", distinct.len());
        let compound = names.iter().filter(|name| name.family.chars().count() == 2).count();
        assert!((60..150).contains(&compound), "{compound}");
        assert!(names.iter().any(|name| name.english.is_some()));
        assert!(names.iter().any(|name| name.nickname.is_some()));
        assert!(names.iter().any(|name| name.given[1].is_empty()));
    }
}
