//! Portals: what customers see of the desk, and what of it they may change. Organisations name theirs; everybody else comes
//! through the one that is for all others.
//!
//! Until somebody writes that one, whoever names no portal sees all that the rule of [`access`](crate::access) lets customers
//! see. A portal that is archived, or that is named and nobody has written, shows nothing: an oversight hides too much, and
//! never shows it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::ids::{OrganisationId, PortalId};
use crate::text::{Body, Code, Label};
use crate::ticket::{CommandName, CustomFields};
use crate::words::words;

/// What customers see of the desk, and what of it they may change, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// What everybody reads.
    pub name: Label,
    /// What it is for.
    pub description: Option<Body>,
    /// What it shows.
    pub showing: Arc<Showing>,
    /// Whether it is out of use: then it shows nothing.
    pub archived: bool,
}

/// What a portal shows customers, and what of it they may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Showing {
    /// Whether it shows customers the tickets that they asked for or follow, those of their organisation, and the open ones
    /// of the groups that they lead.
    pub own: bool,
    /// Whether it shows the tickets of the projects that they or their organisation follow.
    pub projects: bool,
    /// The types of tickets that it shows, and that can be opened through it. `None`: all.
    pub types: Option<BTreeSet<Code>>,
    /// What it shows of a ticket, besides what every ticket shows. `None`: everything.
    pub visible: Option<BTreeSet<Property>>,
    /// What customers may change of what it shows. `None`: all that `edit` takes, and nothing that `classify` does.
    pub editable: Option<BTreeSet<Property>>,
    /// The filters beside its lists. `None`: all; none of them: no filters at all.
    pub filters: Option<BTreeSet<PanelFilter>>,
    /// What it consists of. `None`: everything that there is.
    pub apps: Option<BTreeSet<App>>,
}

/// What a portal may show of a ticket or not, or let customers change or not.
///
/// Everybody who sees a ticket sees its number, subject, description, status, type, requester, organisation, times and revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// One line that says what it is about.
    Subject,
    /// What it is about.
    Description,
    /// What sort of ticket it is.
    Type,
    /// How urgent it is.
    Priority,
    /// What it is filed under.
    Category,
    /// The system concerned.
    System,
    /// Where that runs.
    Environment,
    /// The service concerned.
    Service,
    /// The product concerned.
    Product,
    /// The version of the platform.
    PlatformVersion,
    /// The group that works on it.
    Group,
    /// The project that it is one of.
    Project,
    /// Who works on it.
    Assignee,
    /// Who follows it.
    Followers,
    /// When it is due: its wait, whether that is overdue, and its promised times.
    DueAt,
    /// What the requester thought of the work.
    Rating,
    /// All custom fields.
    CustomFields,
    /// One custom field.
    CustomField(Label),
}

/// What the names of single custom fields begin with.
const OF_CUSTOM_FIELD: &str = "custom_fields.";

impl Property {
    /// Those that have a name of their own.
    pub const NAMED: [Self; 17] = [
        Self::Subject,
        Self::Description,
        Self::Type,
        Self::Priority,
        Self::Category,
        Self::System,
        Self::Environment,
        Self::Service,
        Self::Product,
        Self::PlatformVersion,
        Self::Group,
        Self::Project,
        Self::Assignee,
        Self::Followers,
        Self::DueAt,
        Self::Rating,
        Self::CustomFields,
    ];

    /// Its name in JSON and in the log; that of a custom field without what it begins with.
    const fn word(&self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Description => "description",
            Self::Type => "type",
            Self::Priority => "priority",
            Self::Category => "category",
            Self::System => "system",
            Self::Environment => "environment",
            Self::Service => "service",
            Self::Product => "product",
            Self::PlatformVersion => "platform_version",
            Self::Group => "group",
            Self::Project => "project",
            Self::Assignee => "assignee",
            Self::Followers => "followers",
            Self::DueAt => "due_at",
            Self::Rating => "rating",
            Self::CustomFields | Self::CustomField(_) => "custom_fields",
        }
    }

    /// Its name in JSON and in the log, such as `priority` or `custom_fields.Room`.
    pub fn to_text(&self) -> String {
        match self.custom_field() {
            Some(name) => format!("{OF_CUSTOM_FIELD}{}", name.as_str()),
            None => self.word().to_owned(),
        }
    }

    /// The custom field that it is, if it is a single one.
    pub fn custom_field(&self) -> Option<&Label> {
        if let Self::CustomField(name) = self {
            Some(name)
        } else {
            None
        }
    }

    /// What goes by that name.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix(OF_CUSTOM_FIELD) {
            Some(field) => Label::parse(field).ok().map(Self::CustomField),
            None => Self::NAMED.into_iter().find(|property| property.word() == text),
        }
    }

    /// Whether every ticket shows it.
    pub const fn is_always_shown(&self) -> bool {
        matches!(self, Self::Subject | Self::Description | Self::Type)
    }

    /// The command by which customers change it, if their portal lets them. `None`: it is for staff alone.
    pub const fn changed_by(&self) -> Option<CommandName> {
        match self {
            Self::Subject | Self::Description | Self::PlatformVersion | Self::CustomFields | Self::CustomField(_) => {
                Some(CommandName::Edit)
            }
            Self::Type
            | Self::Priority
            | Self::Category
            | Self::System
            | Self::Environment
            | Self::Service
            | Self::Product => Some(CommandName::Classify),
            Self::Group | Self::Project | Self::Assignee | Self::Followers | Self::DueAt | Self::Rating => None,
        }
    }

    /// Whether customers can be let change it.
    pub const fn can_be_edited(&self) -> bool {
        self.changed_by().is_some()
    }

    /// Whether it is among these, alone or as one of all custom fields.
    fn is_in(&self, set: &BTreeSet<Self>) -> bool {
        let among_all = || self.custom_field().is_some() && set.contains(&Self::CustomFields);
        set.contains(self) || among_all()
    }
}

words! {
    /// A filter that stands beside the lists of a portal.
    PanelFilter 17 {
        /// By status.
        Status "status",
        /// By type.
        Type "type",
        /// By priority.
        Priority "priority",
        /// By category.
        Category "category",
        /// By system.
        System "system",
        /// By environment.
        Environment "environment",
        /// By service.
        Service "service",
        /// By product.
        Product "product",
        /// By the version of the platform.
        PlatformVersion "platform_version",
        /// By requester.
        Requester "requester",
        /// By who works on it.
        Assignee "assignee",
        /// By the group that works on it.
        Group "group",
        /// By project.
        Project "project",
        /// By when it was opened.
        Created "created",
        /// By when it was last changed.
        Updated "updated",
        /// By when it is due, and whether it is overdue.
        Due "due",
        /// By rating.
        Rating "rating",
    }
}

words! {
    /// A part of a portal.
    App 4 {
        /// Tickets: lists, single ones, and what is said of them.
        Tickets "tickets",
        /// Forms that open a ticket.
        WebForms "web_forms",
        /// Talk with the desk.
        Messenger "messenger",
        /// Articles.
        KnowledgeBase "knowledge_base",
    }
}

impl Showing {
    /// Everything is shown, and all that can be changed may be.
    pub const EVERYTHING: Self = Self {
        own: true,
        projects: true,
        types: None,
        visible: None,
        editable: None,
        filters: None,
        apps: None,
    };

    /// Nothing is shown.
    const NOTHING: Self = Self {
        own: false,
        projects: false,
        types: Some(BTreeSet::new()),
        visible: Some(BTreeSet::new()),
        editable: Some(BTreeSet::new()),
        filters: Some(BTreeSet::new()),
        apps: Some(BTreeSet::new()),
    };

    /// Whether it shows tickets of this type, and takes them.
    pub fn takes(&self, ticket_type: &str) -> bool {
        let is_in = |types: &BTreeSet<Code>| types.iter().any(|code| code.as_str() == ticket_type);
        self.types.as_ref().is_none_or(is_in)
    }

    /// Whether it shows this of a ticket.
    pub fn shows(&self, property: &Property) -> bool {
        property.is_always_shown() || self.visible.as_ref().is_none_or(|visible| property.is_in(visible))
    }

    /// Whether it shows any custom field.
    pub fn shows_custom_fields(&self) -> bool {
        self.shows(&Property::CustomFields) || self.custom_fields_shown().next().is_some()
    }

    /// The single custom fields that it shows, where it does not show all.
    pub fn custom_fields_shown(&self) -> impl Iterator<Item = &Label> {
        self.visible.iter().flatten().filter_map(Property::custom_field)
    }

    /// Whether customers may change this of a ticket. A portal that says nothing of it lets them change all that `edit` takes.
    pub fn lets_edit(&self, property: &Property) -> bool {
        let named = match &self.editable {
            Some(editable) => property.is_in(editable),
            None => property.changed_by() == Some(CommandName::Edit),
        };
        named && property.can_be_edited() && self.shows(property)
    }

    /// Whether customers may change anything by this command.
    pub fn lets(&self, command: CommandName) -> bool {
        match &self.editable {
            Some(editable) => editable.iter().any(|property| property.changed_by() == Some(command)),
            None => command == CommandName::Edit,
        }
    }

    /// What becomes of custom fields `has` when a customer makes them `wanted`: those that they may not change stay as they are.
    /// An error names those that they would change and may not. What is not shown may not be named, not even rightly: who
    /// guessed would learn it.
    pub fn custom_fields(&self, has: &CustomFields, wanted: &CustomFields) -> Result<CustomFields, Vec<Property>> {
        let editable = |name: &Label| self.lets_edit(&Property::CustomField(name.clone()));
        let refused: Vec<Property> = wanted
            .iter()
            .map(|(name, value)| (Property::CustomField(name.clone()), has.get(name) == Some(value)))
            .filter(|(field, stays)| !(self.lets_edit(field) || (*stays && self.shows(field))))
            .map(|(field, _)| field)
            .collect();
        if !refused.is_empty() {
            return Err(refused);
        }
        let kept = has.iter().filter(|(name, _)| !editable(name));
        let changed = wanted.iter().filter(|(name, _)| editable(name));
        Ok(kept
            .chain(changed)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect())
    }
}

/// What the portal of this id shows to whoever comes through it: `portal` is what was written of it. `None`: everything.
pub fn applying(id: PortalId, portal: Option<&Portal>) -> Option<Arc<Showing>> {
    match portal {
        Some(portal) if !portal.archived => Some(Arc::clone(&portal.showing)),
        None if id == PortalId::OTHERS => None,
        Some(_) | None => Some(Arc::new(Showing::NOTHING)),
    }
}

/// All portals, and which organisation comes through which.
#[derive(Debug, Clone, Default)]
pub struct Portals {
    known: HashMap<PortalId, Portal>,
    of_organisations: HashMap<OrganisationId, PortalId>,
}

impl Portals {
    /// Takes in what is known of a portal by now.
    pub fn add(&mut self, id: PortalId, portal: &Portal) {
        self.known.insert(id, portal.clone());
    }

    /// Whether somebody has written the portal of this id.
    pub fn has(&self, id: PortalId) -> bool {
        self.known.contains_key(&id)
    }

    /// Takes in which portal an organisation names, and says whether that is another than before.
    pub fn name(&mut self, organisation: OrganisationId, portal: Option<PortalId>) -> bool {
        let before = match portal {
            Some(portal) => self.of_organisations.insert(organisation, portal),
            None => self.of_organisations.remove(&organisation),
        };
        before != portal
    }

    /// What is shown to customers of this organisation, or to those of none. `None`: everything.
    pub fn of(&self, organisation: Option<OrganisationId>) -> Option<Arc<Showing>> {
        let named = organisation.and_then(|organisation| self.of_organisations.get(&organisation));
        let id = named.copied().unwrap_or(PortalId::OTHERS);
        applying(id, self.known.get(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::CustomValue;

    const CLIENT: OrganisationId = OrganisationId::from_bytes([1; 16]);
    const OTHER: OrganisationId = OrganisationId::from_bytes([2; 16]);
    const GOLD: PortalId = PortalId::from_bytes([3; 16]);

    fn label(text: &str) -> Label {
        Label::parse(text).unwrap()
    }

    fn portal(showing: Showing) -> Portal {
        Portal {
            name: label("Gold"),
            description: None,
            showing: Arc::new(showing),
            archived: false,
        }
    }

    fn field(name: &str) -> Property {
        Property::CustomField(label(name))
    }

    #[test]
    fn the_words_that_are_stored_stay_as_they_are() {
        let properties: Vec<String> = Property::NAMED.iter().map(Property::to_text).collect();
        assert_eq!(
            properties.join(" "),
            "subject description type priority category system environment service product platform_version group project \
             assignee followers due_at rating custom_fields"
        );
        assert_eq!(
            PanelFilter::ALL.map(PanelFilter::as_str).join(" "),
            "status type priority category system environment service product platform_version requester assignee group \
             project created updated due rating"
        );
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for property in Property::NAMED.into_iter().chain([field("Room. No")]) {
            assert_eq!(Property::parse(&property.to_text()), Some(property));
        }
        for nothing in ["", "Subject", "status", "custom_fields.", "custom_fields. "] {
            assert_eq!(Property::parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn an_organisation_comes_through_its_own_portal_and_everybody_else_through_the_one_for_others() {
        let mut portals = Portals::default();
        assert_eq!(portals.of(None), None);
        assert!(portals.name(CLIENT, Some(GOLD)), "it named none");
        assert!(!portals.name(CLIENT, Some(GOLD)));
        let closed = portals.of(Some(CLIENT)).unwrap();
        assert!(
            !closed.own && !closed.projects && !closed.takes("defect"),
            "nobody has written it"
        );
        portals.add(GOLD, &portal(Showing::EVERYTHING));
        assert_eq!(portals.of(Some(CLIENT)).as_deref(), Some(&Showing::EVERYTHING));
        assert_eq!(portals.of(Some(OTHER)), None);

        let others = Showing {
            projects: false,
            ..Showing::EVERYTHING
        };
        portals.add(PortalId::OTHERS, &portal(others.clone()));
        assert_eq!(portals.of(Some(OTHER)).as_deref(), Some(&others));
        assert_eq!(portals.of(None).as_deref(), Some(&others));
        assert_eq!(portals.of(Some(CLIENT)).as_deref(), Some(&Showing::EVERYTHING));
        assert!(portals.name(CLIENT, None));
        assert_eq!(portals.of(Some(CLIENT)).as_deref(), Some(&others));
    }

    #[test]
    fn an_archived_portal_shows_nothing() {
        let mut portals = Portals::default();
        let archived = Portal {
            archived: true,
            ..portal(Showing::EVERYTHING)
        };
        portals.add(PortalId::OTHERS, &archived);
        let closed = portals.of(None).unwrap();
        assert!(!closed.own && !closed.projects && !closed.takes("defect"));
        assert!(!closed.shows(&Property::Priority) && !closed.lets(CommandName::Edit));
    }

    #[test]
    fn it_shows_what_it_names_and_what_everything_shows() {
        let all = Showing::EVERYTHING;
        assert!(all.shows(&Property::Priority) && all.shows(&field("Room")) && all.shows_custom_fields());
        let some = Showing {
            visible: Some(BTreeSet::from([Property::Priority, field("Room")])),
            ..Showing::EVERYTHING
        };
        assert!(some.shows(&Property::Priority) && some.shows(&field("Room")) && some.shows(&Property::Subject));
        assert!(!some.shows(&Property::Group) && !some.shows(&field("Desk")) && !some.shows(&Property::CustomFields));
        assert!(some.shows_custom_fields());
        let whole = Showing {
            visible: Some(BTreeSet::from([Property::CustomFields])),
            ..Showing::EVERYTHING
        };
        assert!(whole.shows(&field("Room")) && !whole.shows(&Property::Priority));
        let none = Showing {
            visible: Some(BTreeSet::from([Property::Priority])),
            ..Showing::EVERYTHING
        };
        assert!(!none.shows_custom_fields());
    }

    #[test]
    fn what_is_hidden_cannot_be_edited_whatever_else_is_said() {
        let hidden = Showing {
            visible: Some(BTreeSet::new()),
            ..Showing::EVERYTHING
        };
        assert!(hidden.lets_edit(&Property::Subject));
        assert!(!hidden.lets_edit(&Property::PlatformVersion) && !hidden.lets_edit(&field("Room")));
        assert!(!Showing::EVERYTHING.lets_edit(&Property::Priority), "it is for staff");
        let some = Showing {
            editable: Some(BTreeSet::from([field("Room")])),
            ..Showing::EVERYTHING
        };
        assert!(
            some.lets_edit(&field("Room")) && !some.lets_edit(&field("Desk")) && !some.lets_edit(&Property::Subject)
        );
    }

    #[test]
    fn custom_fields_that_may_not_be_edited_stay_as_they_are() {
        let fields = |pairs: &[(&str, i64)]| -> CustomFields {
            let field = |(name, value): &(&str, i64)| (label(name), CustomValue::Number(*value));
            pairs.iter().map(field).collect()
        };
        let showing = Showing {
            visible: Some(BTreeSet::from([field("Room"), field("Floor")])),
            editable: Some(BTreeSet::from([field("Room")])),
            ..Showing::EVERYTHING
        };
        let has = fields(&[("Room", 1), ("Floor", 2), ("Margin", 3)]);
        let wanted = |pairs: &[(&str, i64)]| showing.custom_fields(&has, &fields(pairs));
        assert_eq!(
            wanted(&[("Room", 5)]),
            Ok(fields(&[("Room", 5), ("Floor", 2), ("Margin", 3)]))
        );
        assert_eq!(wanted(&[]), Ok(fields(&[("Floor", 2), ("Margin", 3)])));
        assert_eq!(wanted(&[("Room", 1), ("Floor", 2)]), Ok(has.clone()));
        assert_eq!(wanted(&[("Floor", 4)]), Err(vec![field("Floor")]));
        // Whether it was guessed right is nobody's to know.
        assert_eq!(wanted(&[("Margin", 3)]), Err(vec![field("Margin")]));
        assert_eq!(wanted(&[("Margin", 4)]), Err(vec![field("Margin")]));
    }
}
