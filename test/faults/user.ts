/** Whom the faults befall: the functions. */
export const user = 'system:serviceaccount:wukong-lifecycle:wukong-lifecycle';
