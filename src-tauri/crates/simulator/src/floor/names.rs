//! Invented people and places, in several scripts, a few of them awkward on purpose: a supervisor's
//! screen must survive long names, right-to-left names, emoji and names that look like markup.

/// People who answer: first name, last name.
pub const AGENTS: &[(&str, &str)] = &[
    ("Aino", "Lehtonen"),
    ("Bruno", "Ferrari"),
    ("Chiara", "Conti"),
    ("Даша", "Орлова"),
    ("Emil", "Sørensen"),
    ("佐藤", "美咲"),
    ("Fatima", "Haddad"),
    ("Gökçe", "Yıldız"),
    ("Hannah", "O’Brien-Fitzgerald"),
    ("Илья", "Соколов"),
    ("João", "Nascimento"),
    ("김", "민준"),
    ("Léa", "Dubois"),
    ("Marek", "Wiśniewski"),
    ("Nia", "Owusu"),
    ("Oscar", "🎧 Lindqvist"),
    ("Priya", "Raghunathan"),
    ("王", "小明"),
    ("Rosa", "Martínez"),
    ("שרה", "כהן"),
    ("Tomáš", "Dvořák"),
    ("Uma", "<b>Bold</b>"),
    ("Maximiliana Konstantinopolitanska", "von Hohenstein-Wittelsbach zu Oberammergau"),
    ("Zoë", "van den Berg"),
];

/// People who ask.
pub const CUSTOMERS: &[&str] = &[
    "Alma Virtanen",
    "Ben Carter",
    "Carla Moretti",
    "Денис К.",
    "Elin Berg",
    "田中 健",
    "Farid",
    "Grace Mwangi",
    "Hugo Leroy",
    "Инна Павлова",
    "Jun Park",
    "Kofi",
    "李娜",
    "Maja Novak",
    "Noor",
    "Olivia ✨",
    "Pedro Alvarez",
    "Guest",
    "Rania Saleh",
    "Sven",
    "Tess de Vries",
    "دانا",
    "Veronika H.",
    "Wen",
    "Yusuf Demir",
    "Zuzana",
    "=SUM(A1:A9)",
    "<img src=x onerror=alert(1)>",
];

/// Queue names per position; every vendor takes its own slice.
pub const QUEUES: &[&str] = &[
    "Billing",
    "Orders & delivery",
    "Technical help",
    "Возвраты",
    "VIP ⭐",
    "技術サポート",
    "Sales",
    "Claims",
    "Onboarding",
    "Prepaid",
    "Roaming",
    "Accounts <urgent>",
    "Warranty and repair of household appliances bought before the first of January",
    "Loans",
    "Second line",
];

/// What people write about.
pub const SUBJECTS: &[&str] = &[
    "My invoice is wrong",
    "Where is my parcel?",
    "Cannot sign in",
    "Не приходит код",
    "Card was charged twice",
    "返品したい",
    "Change of address",
    "Router keeps rebooting 😤",
    "Cancel my subscription",
    "Upgrade offer",
    "Broken on arrival",
    "Password reset",
];

/// Words for being away.
pub const AWAY: &[&str] = &["Break", "Lunch", "Coaching", "Обед"];
