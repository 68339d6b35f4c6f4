/** The database user of gates on other machines, as the command line writes it down. */
export { gateRoleSql, isRoleName } from '../../store/postgres/gate-role.ts'
